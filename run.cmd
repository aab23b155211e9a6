@echo off
rem No dump and no debugger of the runtime: keys are in the memory of what is started here.
set DOTNET_EnableDiagnostics=0
set DOTNET_DbgEnableMiniDump=0
node "%~dp0build\run.mjs" --and-serve %*
