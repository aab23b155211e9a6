@echo off
rem No dump and no debugger of the runtime: keys are in the memory of what is started here.
set DOTNET_EnableDiagnostics=0
set DOTNET_DbgEnableMiniDump=0
node "%~dp0build\product.mjs" "%~1" || exit /b 1
"%~dp0artifacts\bin\Cli\release\mangrove.exe" %*
