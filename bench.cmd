@echo off
if not exist "%~dp0artifacts\bench" mkdir "%~dp0artifacts\bench"
for /f %%t in ('node -p "new Date().toISOString().replace(/[-:]|\.\d+/g,'')"') do call "%~dp0mangrove.cmd" bench --json-out "%~dp0artifacts\bench\%%t.json" %*
