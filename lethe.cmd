@node "%~dp0lethe" %*
