@echo off
node "%~dp0build\test.mjs" %*
