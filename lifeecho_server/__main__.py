"""``python -m lifeecho_server``: the command line."""

from lifeecho_server.cli import main

if __name__ == "__main__":
    main(prog_name="lifeecho")
