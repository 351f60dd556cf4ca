"""All verbs. Another one joins by its entry alone: parser, help, completions and exit codes follow."""

from . import chart, completion, login, repository, trust
from .verb import Verb

VERBS: tuple[Verb, ...] = (*chart.VERBS, *repository.VERBS, *trust.VERBS, *login.VERBS, completion.VERB)
