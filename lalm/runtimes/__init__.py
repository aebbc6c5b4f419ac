"""Runtimes: the engines that run a LALM, in this process or on a server."""
