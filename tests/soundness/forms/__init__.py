"""All forms of what Terraform reads: of files, of other states, of values, and of spelling."""

from tests.soundness.forms import computed, files, reads, spelling, values
from tests.soundness.forms.registry import FORMS, Form

__all__ = ["FORMS", "Form", "computed", "files", "reads", "spelling", "values"]
