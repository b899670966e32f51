"""JupyterLab and the widgets in a real Chromium. (A package, for the fixtures of package scope in conftest.py.)"""
