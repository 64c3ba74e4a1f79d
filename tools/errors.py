"""What a user can mend is a `UserError`; everything else is a bug and keeps its traceback."""


class UserError(Exception):
    """A mistake or a missing part outside this program.

    The message is one line that names what is wrong, where, and how to mend it.
    """
