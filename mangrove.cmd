@echo off
node "%~dp0build\product.mjs" || exit /b 1
"%~dp0artifacts\bin\Cli\release\mangrove.exe" %*
