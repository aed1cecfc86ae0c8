"""The command `bihuan`: loads the commands, which takes most of a start, and runs them. What they do is in hub/commands."""

import gc


def main() -> None:
    """Run the command line."""
    gc.disable()  # loading makes many objects and no garbage: without looking for any it takes two thirds of the time
    from hub.commands import app  # noqa: PLC0415  (see above)

    gc.enable()
    gc.freeze()  # what is loaded stays to the end and need not be looked at again
    app()


if __name__ == "__main__":
    main()
