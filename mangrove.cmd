@echo off
node "%~dp0build\product.mjs" "%~1" || exit /b 1
"%~dp0artifacts\bin\Cli\release\mangrove.exe" %*
