"""Messages between kernel and page, and the structured traits: the protocol of all widgets.

`js/protocol.ts` is generated from the modules of this package by ``python tools/generate_protocol.py``. A trait holds what its class says. A
``…Message`` goes from page to kernel and has no response. A ``…Request`` also carries an ``id``, and its ``…Response`` that id and
``ok``; an error is ``{id, ok: false, message}``. An ``…Event`` goes from kernel to page.
"""
