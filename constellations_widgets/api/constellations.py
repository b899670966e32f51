"""Client of the Constellations API, with typed results."""

from __future__ import annotations

from .handle_calls import HandleCalls
from .image_calls import ImageCalls
from .scene_calls import SceneCalls


class Constellations(ImageCalls, HandleCalls, SceneCalls):
    """Client of the Constellations API.

    A client is thread-safe. It keeps its connections open; `close` it, or use it in a ``with`` block.

    Parameters
    ----------
    api_url : str
        Root of the API, such as ``https://api.worldwidetelescope.org`` or a sandbox's ``api_url``.
    auth : str or Credentials, optional
        An access token, or the result of `sign_in`. By default the environment variable ``CONSTELLATIONS_TOKEN`` is
        read; if it isn't set either, the client is not signed in, and can only read what is public.
    timeout : float, optional
        Seconds to wait for the next bytes of a response, at most a day. One request may take twice as long; a call
        whose request is retried four times as long. Default 30.
    transport : BaseTransport, optional
        Replaces the network, for tests.
    retries : Retries, optional
        Retry policy for reads that fail transiently: by default up to three retries, with a backoff that doubles from a
        quarter of a second, or with the wait that the server asks for. Requests that publish or change something are
        sent once.

    Raises
    ------
    NotSentError
        If `api_url` is not the address of an API, or `timeout` is not a valid number of seconds.
    SignInError
        If the token is malformed, or would be sent over plain http to another machine.

    Notes
    -----
    Every call can raise an `ApiError`: `NotSentError` (nothing was sent), `NoAnswerError` (a read got no response),
    `BadAnswerError` (a response that this API never gives), a `StatusError` (the server refused; its subclasses tell
    why), and, from the calls that change something, `UnclearError` (sent, but the outcome is unknown).

    Examples
    --------
    >>> client = cxw.Constellations(api_url, auth=cxw.sign_in())
    >>> client.may_add_images(handle)
    True
    """
