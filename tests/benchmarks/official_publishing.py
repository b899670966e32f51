"""Run by the official client's own Python: publish images, one after the other, as it does, and print the seconds."""

from __future__ import annotations

import json
import sys
import time

from wwt_api_client.constellations import CxClient
from wwt_api_client.constellations.handles import AddImageRequest

handle = CxClient().handle_client(sys.argv[1])
images = [AddImageRequest.from_dict(json.loads(line)) for line in sys.stdin]
handle.add_image(images[0])  # signs in
start = time.perf_counter()
for image in images[1:]:
    handle.add_image(image)
print(time.perf_counter() - start)
