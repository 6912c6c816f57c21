"""Tools that install packages: what each is given around it, where it installs, and what leads it elsewhere.

``model`` the values; ``known`` which tool a command is; a module for each family of tools.
Command lines are taken apart by ``words``; ``settings`` and its like read the files of projects.
"""
