"""Git repositories that notebook instances clone.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateCodeRepository.html
"""

from typing import Any

from localstack.aws.api import RequestContext

from .errors import ValidationError
from .listing import SORT_KEYS, page
from .store import Store, StoredResource, arn, now, store_of
from .tags import merged


def create(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
    name = request["CodeRepositoryName"]
    tags = merged({}, request.get("Tags", []))
    repository = StoredResource(name, _arn(context, name), request["GitConfig"], tags)
    store = store_of(context)
    with store.lock:
        if name in store.code_repositories:
            raise ValidationError(
                f'Cannot create already existing CodeRepository "{repository.arn}"'
            )
        store.code_repositories[name] = repository
    return {"CodeRepositoryArn": repository.arn}


def describe(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
    store = store_of(context)
    with store.lock:
        return _shown(_find(context, store, request))


def list_all(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
    store = store_of(context)
    with store.lock:
        repositories, token = page(
            "ListCodeRepositories",
            request,
            store.code_repositories.values(),
            SORT_KEYS,
            default_key="Name",
        )
        return {
            "CodeRepositorySummaryList": [_shown(repository) for repository in repositories],
            **token,
        }


def update(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
    store = store_of(context)
    with store.lock:
        repository = _find(context, store, request)
        repository.settings = {**repository.settings, **request.get("GitConfig", {})}
        repository.modified = now()
        return {"CodeRepositoryArn": repository.arn}


def delete(context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
    store = store_of(context)
    with store.lock:
        del store.code_repositories[_find(context, store, request).name]
    return {}


def require(context: RequestContext, store: Store, name_or_url: str) -> None:
    """Raises ValidationError for the name of no repository; an URL is taken as it is."""
    if not name_or_url.startswith("https://") and name_or_url not in store.code_repositories:
        raise _missing(context, name_or_url)


def _find(context: RequestContext, store: Store, request: dict[str, Any]) -> StoredResource:
    name = request["CodeRepositoryName"]
    if name not in store.code_repositories:
        raise _missing(context, name)
    return store.code_repositories[name]


def _shown(repository: StoredResource) -> dict[str, Any]:
    return {
        "CodeRepositoryName": repository.name,
        "CodeRepositoryArn": repository.arn,
        "GitConfig": repository.settings,
        **repository.times(),
    }


def _arn(context: RequestContext, name: str) -> str:
    return arn(context, "code-repository", name)


def _missing(context: RequestContext, name: str) -> ValidationError:
    return ValidationError(f'Cannot find CodeRepository: "{_arn(context, name)}"')
