@echo off
node "%~dp0build\run.mjs" --and-serve %*
