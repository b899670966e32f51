"""Stores of files behind one small interface: a folder, object stores, SFTP, WebDAV, a git checkout."""

from __future__ import annotations

import os
import subprocess
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from configparser import ConfigParser, Error
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from ..errors import HostingError, needs_extra
from ..interface import in_terms, option, run_again
from ..state import user_path, write_file
from .collect import HostedFile
from .profiles import address_fault, concealed

OBJECT_STORES = {"s3": "S3", "gs": "Google Cloud Storage", "az": "Azure Blob Storage"}
FILE_SYSTEMS = ("sftp", "webdav", "webdavs")

RETRIES: dict[str, Any] = {"max_retries": 8, "retry_timeout": timedelta(seconds=90)}
"""Of requests that a busy service rejects (503 SlowDown), or whose connection was cut; with backoff and jitter."""

_CORS = '{"CORSRules":[{"AllowedOrigins":["*"],"AllowedMethods":["GET","HEAD"],"AllowedHeaders":["*"]}]}'
_S3_PUBLIC = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::%s/*"}]}'


class StoredFile(NamedTuple):
    """Metadata of a stored file.

    Attributes
    ----------
    size : int
        In bytes.
    tag : str
        Tag that changes with the file: an ETag, or size and time of the last change.
    md5 : str
        Its checksum in hex, as far as the store's tag is one: that of an encrypted file is not; "" if it can't be.
    """

    size: int
    tag: str
    md5: str = ""


class Store(ABC):
    """A place for files below one address. Several threads may use it. Its repr never shows a key or a password.

    Attributes
    ----------
    address : str
        The address, without secrets, for messages.
    public_url : str
        The address under which browsers find the files, "" if the store cannot know it.
    threads : int
        How many uploads run at once.
    lists_md5 : bool
        Whether the list has checksums of most files.
    """

    address = ""
    public_url = ""
    threads = 32
    lists_md5 = False

    @abstractmethod
    def listing(self) -> Iterator[tuple[str, StoredFile]]:
        """Yield every file that is there, with its key."""

    @abstractmethod
    def put(self, file: HostedFile, data: bytes, *, overwrite: bool) -> str:
        """Write one file, whole or not at all; return its tag, "" if the store gives none.

        Raises
        ------
        FileExistsError
            If it is there already and `overwrite` is false.
        """

    @abstractmethod
    def read(self, key: str) -> bytes:
        """Return the bytes of a file."""

    def explain(self, error: BaseException) -> str:
        """Return in one sentence why the store refused, and what to do."""
        return f"{type(error).__name__}: {str(error).splitlines()[0][:300] if str(error) else 'no reason given'}"

    def advice(self) -> str:
        """Return the setting or command that lets everyone read the files and lets pages of other sites show them."""
        return "Let everyone read the files, and have the server send the header Access-Control-Allow-Origin: *"

    def close(self) -> None:  # noqa: B027  (most stores hold no connection)
        """Close the connections."""

    def finish(self, message: str) -> None:  # noqa: B027  (most stores need no such step)
        """Make everything that was put visible, where that takes a step of its own."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.address}>"


class FolderStore(Store):
    """A folder of this machine, such as ``~/public_html``, that a web server serves."""

    threads = 4

    def __init__(self, folder: Path):
        self.folder = user_path(folder).absolute()
        self.address = str(self.folder)

    def listing(self) -> Iterator[tuple[str, StoredFile]]:
        """Yield every file that is there, with its key."""
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = Path(folder, name)
                if name.endswith(".part"):
                    continue
                try:
                    about = path.stat()
                except FileNotFoundError:  # a link that leads nowhere
                    continue
                tag = f"{about.st_size}:{about.st_mtime_ns}"
                yield path.relative_to(self.folder).as_posix(), StoredFile(about.st_size, tag)

    def put(self, file: HostedFile, data: bytes, *, overwrite: bool) -> str:
        """Write one file atomically; return its tag."""
        target = self.folder / file.key
        target.parent.mkdir(parents=True, exist_ok=True)
        if not overwrite and target.exists():
            raise FileExistsError(target)
        write_file(target, data)
        target.chmod(0o644)  # the web server runs as another user
        about = target.stat()
        return f"{about.st_size}:{about.st_mtime_ns}"

    def read(self, key: str) -> bytes:
        """Return the bytes of a file."""
        return (self.folder / key).read_bytes()

    def explain(self, error: BaseException) -> str:
        """Return in one sentence why the folder refused, and what to do."""
        if isinstance(error, OSError):
            return f"{error.strerror or error}. Make room or choose another folder, then {run_again()}"
        return super().explain(error)


class GitStore(FolderStore):
    """A git checkout whose branch is served, as GitHub Pages does: files are committed and pushed."""

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.top = Path(self._git("rev-parse", "--show-toplevel").strip())
        self.public_url = self._pages_url()

    def _git(self, *arguments: str) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            done = subprocess.run(
                ["git", "-C", str(self.folder), *arguments], capture_output=True, text=True, timeout=600, check=False
            )
        except FileNotFoundError:
            raise HostingError("The program git is not installed: install it, or choose another target") from None
        if done.returncode:
            reason = " ".join((done.stderr or done.stdout).split())[:400]
            raise HostingError(f"git {arguments[0]} failed in {self.folder}: {reason}")
        return done.stdout

    def _pages_url(self) -> str:
        """Return the address of GitHub Pages for the remote "origin"; "" if it is not at GitHub."""
        try:
            remote = self._git("remote", "get-url", "origin").strip()
        except HostingError:
            return ""
        path = remote.removeprefix("git@github.com:").removeprefix("https://github.com/").removesuffix(".git")
        owner, _, name = path.partition("/")
        if not name or ":" in path or "/" in name:
            return ""
        site = f"https://{owner.lower()}.github.io/" + (
            "" if name.lower() == f"{owner.lower()}.github.io" else f"{name}/"
        )
        below = self.folder.resolve().relative_to(self.top.resolve()).as_posix()
        return site if below == "." else f"{site}{quote(below)}/"

    def finish(self, message: str) -> None:
        """Commit and push the files."""
        self._git("add", "--all", "--", ".")
        if self._git("status", "--porcelain", "--", ".").strip():
            self._git("commit", "--quiet", "--message", message, "--", ".")
        self._git("push", "--quiet", "origin", "HEAD")

    def advice(self) -> str:
        """Return the setting or command that makes the files public."""
        return "Turn on Pages for this branch in the repository's settings; GitHub sends the CORS header itself"


class ObjectStore(Store):
    """A bucket of S3 or a compatible service, of Google Cloud Storage or of Azure; uses obstore."""

    def __init__(self, address: str, options: Mapping[str, Any], secrets: Mapping[str, Any]):
        with needs_extra("hosting", "Uploading to s3://, gs:// and az://", HostingError):
            from obstore.store import from_url
        self.address = address.rstrip("/")
        parts = urlsplit(self.address)
        self.scheme, self.bucket, self.prefix = parts.scheme, parts.netloc, unquote(parts.path).strip("/")
        self.lists_md5 = self.scheme == "s3"
        settings = dict(options)
        if profile := settings.pop("profile", None):
            settings = _aws_profile(str(profile)) | settings
        if settings.pop("anonymous", False):
            settings["skip_signature"] = True
        endpoint = _first(settings, "endpoint", "endpoint_url", "base_url")
        if self.scheme == "s3":
            endpoint = endpoint or os.environ.get("AWS_ENDPOINT_URL") or ""
        self.region = str(
            settings.get("region")
            or os.environ.get("AWS_REGION")
            or os.environ.get("AWS_DEFAULT_REGION")
            or "us-east-1"
        )
        if self.scheme == "s3":
            settings.setdefault("region", self.region)
        client: Any = {"timeout": "120s"} | ({"allow_http": True} if endpoint.startswith("http://") else {})
        retries: Any = dict(RETRIES)
        config: dict[str, Any] = {key: value for key, value in settings.items() if key != "endpoint_url"}
        try:
            open_any: Any = from_url  # its overloads are one for each service
            self._store = open_any(
                self.address,
                client_options=client,
                retry_config=retries,
                **config,
                **secrets,
            )
        except Exception as error:  # obstore raises errors that differ by service  # noqa: BLE001
            raise HostingError(
                f"The target {self.address} cannot be used: {str(error).splitlines()[0][:300]}"
            ) from None
        self.public_url = self._public_url(endpoint.rstrip("/"), settings)

    def _public_url(self, endpoint: str, settings: Mapping[str, Any]) -> str:
        below = f"{quote(self.prefix)}/" if self.prefix else ""
        if self.scheme == "gs":
            return f"{endpoint or 'https://storage.googleapis.com'}/{self.bucket}/{below}"
        if self.scheme == "az":
            account = settings.get("account_name") or os.environ.get("AZURE_STORAGE_ACCOUNT_NAME") or ""
            root = endpoint or (account and f"https://{account}.blob.core.windows.net")
            return root and f"{root}/{self.bucket}/{below}"
        if endpoint:
            return f"{endpoint}/{self.bucket}/{below}"
        return f"https://{self.bucket}.s3.{self.region}.amazonaws.com/{below}"

    def listing(self) -> Iterator[tuple[str, StoredFile]]:
        """Yield every file that is there, with its key."""
        import obstore

        for chunk in obstore.list(self._store, chunk_size=1000):
            for each in chunk:
                tag = _tag(each)
                is_md5 = self.lists_md5 and len(tag) == 32 and "-" not in tag
                yield each["path"], StoredFile(each["size"], tag, tag if is_md5 else "")

    def put(self, file: HostedFile, data: bytes, *, overwrite: bool) -> str:
        """Upload one file; return its ETag."""
        import obstore
        from obstore.exceptions import AlreadyExistsError

        attributes = {"Content-Type": file.content_type, "Cache-Control": file.cache_control}
        try:
            done = obstore.put(
                self._store,
                file.key,
                data,
                attributes=attributes,
                mode="overwrite" if overwrite else "create",
                use_multipart=False,
            )
        except AlreadyExistsError:
            raise FileExistsError(file.key) from None
        return _tag(done)

    def read(self, key: str) -> bytes:
        """Return the bytes of a file."""
        import obstore

        return bytes(obstore.get(self._store, key).bytes())

    def explain(self, error: BaseException) -> str:
        """Return in one sentence why the store refused, and what to do."""
        text = str(error)
        service = OBJECT_STORES[self.scheme]
        if "NoSuchBucket" in text or "ContainerNotFound" in text or "The specified bucket does not exist" in text:
            return f"there is no bucket {self.bucket!r}: create it at {service}, or correct the address"
        if (
            "InvalidAccessKeyId" in text
            or "SignatureDoesNotMatch" in text
            or "AuthenticationFailed" in text
            or " 401" in text
        ):
            return f"{service} did not accept the credentials: {_give_credentials()}"
        if "AccessDenied" in text or "PermissionDenied" in type(error).__name__ or " 403" in text:
            return f"{service} does not let this account write to {self.bucket!r}: ask its owner for write access, or use another account"
        if "SlowDown" in text or " 503" in text:
            return f"{service} is busy: wait a minute, then {run_again()}; only what is missing is sent"
        if "credential" in text.lower() or "169.254.169.254" in text:
            return f"no credentials for {service} were found: {_give_credentials(', profile= or anonymous=True')}"
        return text.splitlines()[0][:300] if text else type(error).__name__

    def advice(self) -> str:
        """Return the setting or command that makes the files public."""
        if self.scheme == "gs":
            return (
                f"Run: gcloud storage buckets add-iam-policy-binding gs://{self.bucket} --member=allUsers --role=roles/storage.objectViewer; "
                f"and set CORS with: gcloud storage buckets update gs://{self.bucket} --cors-file=cors.json"
            )
        if self.scheme == "az":
            return (
                f"Run: az storage container set-permission --name {self.bucket} --public-access blob; "
                "and: az storage cors add --services b --methods GET HEAD --origins '*' --allowed-headers '*'"
            )
        return (
            f"Run: aws s3api put-bucket-policy --bucket {self.bucket} --policy '{_S3_PUBLIC % self.bucket}' "
            f"and: aws s3api put-bucket-cors --bucket {self.bucket} --cors-configuration '{_CORS}'"
        )


class FileSystemStore(Store):
    """A server reached by SFTP or WebDAV; uses fsspec implementations."""

    threads = 8

    def __init__(self, address: str, options: Mapping[str, Any], secrets: Mapping[str, str]):
        parts = urlsplit(address)
        self.scheme, self.root = parts.scheme, unquote(parts.path).rstrip("/")
        host = parts.hostname or ""
        where = f"{host}:{parts.port}" if parts.port else host
        self.address = f"{self.scheme}://{where}{quote(self.root)}"
        self._folders: set[str] = set()  # known to exist
        self._making = threading.Lock()
        user = unquote(parts.username or "") or options.get("username")
        self._system = self._open(parts, user, dict(options), secrets)

    def _open(self, parts: Any, user: Any, options: dict[str, Any], secrets: Mapping[str, str]) -> Any:
        with needs_extra("hosting", f"Uploading to {self.scheme}://", HostingError):
            if self.scheme == "sftp":
                from sshfs import SSHFileSystem
            else:
                from webdav4.fsspec import WebdavFileSystem
        try:
            if self.scheme == "sftp":
                # By default sshfs takes every host key; () are the user's known_hosts. fsspec's cache would keep the password.
                given = {"port": parts.port, "username": user, "known_hosts": (), **options, **secrets}
                given = {key: value for key, value in given.items() if value is not None}
                return SSHFileSystem(parts.hostname, skip_instance_cache=True, **given)
            web = "https" if self.scheme == "webdavs" else "http"
            port = f":{parts.port}" if parts.port else ""
            auth = (user, secrets["password"]) if user and "password" in secrets else None
            return WebdavFileSystem(f"{web}://{parts.hostname}{port}", auth=auth, skip_instance_cache=True)
        except Exception as error:  # asyncssh and httpx raise errors of their own  # noqa: BLE001
            raise HostingError(f"The target {self.address} cannot be reached: {self.explain(error)}") from None

    def _path(self, key: str) -> str:
        return f"{self.root}/{key}"

    def _make_folder(self, folder: str) -> None:
        """Create a folder and its missing parents, the topmost first: access to existing parents may be denied."""
        if not folder or folder in self._folders:
            return
        with self._making:
            if not self._system.exists(folder):
                self._make_missing(folder)
            self._folders.add(folder)

    def _make_missing(self, folder: str) -> None:
        parent = folder.rpartition("/")[0]
        if parent and not self._system.exists(parent):
            self._make_missing(parent)
        self._system.mkdir(folder)

    def listing(self) -> Iterator[tuple[str, StoredFile]]:
        """Yield every file that is there, with its key."""
        try:
            entries = self._system.find(self.root or "", detail=True)
        except FileNotFoundError:
            return
        root = self.root.strip("/")
        for path, about in entries.items():
            key = path.strip("/").removeprefix(root).strip("/")
            if not key.endswith(".part"):
                yield key, StoredFile(int(about.get("size") or 0), _tag_of_file(about))

    def put(self, file: HostedFile, data: bytes, *, overwrite: bool) -> str:
        """Upload one file atomically; return its tag."""
        path = self._path(file.key)
        self._make_folder(path.rpartition("/")[0])
        if not overwrite and self._system.exists(path):
            raise FileExistsError(path)
        temporary = f"{path}.part"
        self._system.pipe_file(temporary, data)
        if overwrite and self._system.exists(path):
            self._system.rm_file(path)
        self._system.mv(temporary, path)
        return _tag_of_file(self._system.info(path))

    def read(self, key: str) -> bytes:
        """Return the bytes of a file."""
        return bytes(self._system.cat_file(self._path(key)))

    def close(self) -> None:
        """Close the connections: sshfs does so when it is collected."""
        self._system = None


def _first(settings: Mapping[str, Any], *names: str) -> str:
    """Return the first setting that is given, as text; "" if none is."""
    return str(next((settings[name] for name in names if settings.get(name)), ""))


def _tag(about: Mapping[str, Any]) -> str:
    """Return an ETag without quotation marks: Azure writes them in a response's header, but not in a listing."""
    return str(about.get("e_tag") or "").strip('"')


def _tag_of_file(about: Mapping[str, Any]) -> str:
    """Return size and time of the last change of a file on a server."""
    return f"{int(about.get('size') or 0)}:{about.get('mtime') or about.get('modified') or ''}"


def _aws_profile(name: str) -> dict[str, str]:
    """Return keys, region and endpoint of a profile in the AWS command line's own files."""
    home = Path.home() / ".aws"
    files = [
        Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or home / "credentials"),
        Path(os.environ.get("AWS_CONFIG_FILE") or home / "config"),
    ]
    parser = ConfigParser(interpolation=None)
    try:
        parser.read(files, encoding="utf-8")
    except Error as error:
        raise HostingError(f"The AWS profiles cannot be read: {str(error).splitlines()[0]}") from None
    names = {
        "aws_access_key_id": "access_key_id",
        "aws_secret_access_key": "secret_access_key",
        "aws_session_token": "session_token",
        "region": "region",
        "endpoint_url": "endpoint",
    }
    sections = [parser[each] for each in (f"profile {name}", name) if parser.has_section(each) or each == "default"]
    found = concealed(
        {ours: section[theirs] for section in sections for theirs, ours in names.items() if section.get(theirs)}
    )
    if not found:
        raise HostingError(f"There is no AWS profile {name!r} in {files[0]} or {files[1]}: correct {option('profile')}")
    return found


def _give_credentials(others: str = "") -> str:
    return in_terms(
        f"pass credentials={others}, or set them in the environment",
        "set them in the environment",
        "enter them above, or set them in the environment",
    )


def require_address(target: object) -> None:
    """Raise HostingError if a target is neither a folder nor an address."""
    if not isinstance(target, (str, Path)) or not str(target).strip():
        raise HostingError(
            f"{in_terms('target=', '--to', '“Folder or address”')} must be a folder or an address, not {target!r:.80}"
        )


def open_store(target: str | Path, options: Mapping[str, Any], secrets: Mapping[str, str]) -> Store:
    """Return the store at an address or a folder.

    Raises
    ------
    HostingError
        If the address is not understood, a package is missing, or the service cannot be reached.
    """
    require_address(target)
    text = str(target)
    if fault := address_fault(text):
        raise HostingError(f"The target {fault}")
    scheme = text.partition("://")[0] if "://" in text else ""
    if scheme in OBJECT_STORES:
        return ObjectStore(text, options, secrets)
    if scheme in FILE_SYSTEMS:
        return FileSystemStore(text, options, secrets)
    if scheme == "git":
        return GitStore(Path(text.removeprefix("git://")))
    if scheme:
        known = ", ".join(f"{each}://" for each in (*OBJECT_STORES, *FILE_SYSTEMS, "git"))
        raise HostingError(f"The target {scheme}:// is not supported. Use a folder or one of {known}")
    folder = user_path(text)
    if folder.exists() and not folder.is_dir():
        raise HostingError(f"The target {folder} is a file: give a folder")
    return FolderStore(folder)
