@echo off
if not exist "%~dp0bench\results" mkdir "%~dp0bench\results"
for /f %%t in ('node -p "new Date().toISOString().replace(/[-:]|\.\d+/g,'')"') do call "%~dp0mangrove.cmd" bench --json-out "%~dp0bench\results\%%t.json" %*
