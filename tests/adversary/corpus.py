"""Scenarios that went wrong once: of each row of the list of faults, and those that the simulator has found since.

A name begins with the row's number in ``faults/README.md``, or 0: that two programs publish the same was never wrong.
"""

from __future__ import annotations

from .scenario import Clock, Do, Fault, Foreign, Image, Scenario, Trigger

TWO = (Image(), Image(url=1))
BUSY = Fault(answer="503", retry_after=1)

SCENARIOS = {
    "1: a gateway's 503 with Retry-After to an image": Scenario(faults=(BUSY,)),
    "1: the same, and lists lag": Scenario(faults=(BUSY,), lag=30.0),
    "1: the same to each image of a batch": Scenario(
        images=TWO,
        processes=((Do("publish_all", images=(0, 1)),),),
        faults=tuple(Fault(nth=nth, answer="503", retry_after=1) for nth in range(4)),
    ),
    "1: the same to a scene": Scenario(
        processes=((Do("publish"), Do("scene")),), faults=(Fault(nth=1, answer="503", retry_after=1),)
    ),
    "1: the same to a change": Scenario(
        processes=((Do("publish"), Do("save")),), faults=(Fault(nth=1, answer="503", retry_after=1),)
    ),
    "1: a 429 to the repetition by a gateway": Scenario(faults=(Fault(answer="429", retry_after=1),)),
    "2: nothing was sent": Scenario(faults=(Fault(answer="unreachable", commit="no"),)),
    "3: a gateway repeats the request, and its answer is lost": Scenario(
        processes=((Do("publish"), Do("send_again"), Do("publish", again=True)),),
        faults=(Fault(answer="drop", commit="twice"),),
    ),
    "3: the same, and one of the two records can't be read": Scenario(
        processes=((Do("publish", triggers=(Trigger("interrupt", "answer", 74),)), Do("send_again")),),
        faults=(
            Fault(answer="drop", commit="twice"),
            Fault(on="record", nth=2, answer="drop"),
            Fault(on="record", nth=4, answer="garbage"),
        ),
    ),
    "4: clocks are wrong, and one is corrected": Scenario(
        processes=((Do("publish"), Do("send_again")),),
        faults=(Fault(answer="drop"),),
        clocks=(Clock("server", 0.0, -180.0), Clock("0", 0.0, 7200.0), Clock("0", 5.0, 0.0)),
        lag=6.0,
    ),
    "5: lists lag behind": Scenario(
        processes=((Do("publish"), Do("publish", anyway=True), Do("send_again")),),
        faults=(Fault(answer="drop"),),
        lag=30.0,
    ),
    "5: another text while the first attempt is unclear": Scenario(
        images=(Image(), Image(alt_text=1)),
        processes=(
            (Do("publish"), Do("publish", images=(1,), anyway=True), Do("publish_all", images=(1, 0), anyway=True)),
        ),
        faults=(Fault(answer="drop", commit="late", seconds=20.0),),
    ),
    "5: two programs publish two texts of one image": Scenario(
        images=(Image(), Image(alt_text=1)),
        processes=(
            (Do("publish", triggers=(Trigger("pause", steps=700, seconds=20.0),)),),
            (Do("publish", images=(1,)),),
        ),
    ),
    "6: two images differ in the alt text alone": Scenario(
        images=(Image(), Image(alt_text=1)),
        processes=((Do("publish"), Do("publish", images=(1,), again=True), Do("settle_all")),),
        faults=(Fault(answer="drop", commit="late", seconds=8.0), Fault(nth=1, answer="drop", commit="no")),
    ),
    "6: two images differ in the credits alone": Scenario(
        images=(Image(), Image(credits=1)),
        processes=((Do("publish"), Do("publish", images=(1,), again=True), Do("settle_all")),),
        faults=(Fault(answer="drop", commit="late", seconds=8.0), Fault(nth=1, answer="drop", commit="no")),
    ),
    "7: the response to the request before comes once more": Scenario(
        images=TWO, processes=((Do("publish_all", images=(0, 1)),),), faults=(Fault(nth=1, answer="stale"),)
    ),
    "7: the response to another program's request": Scenario(
        processes=((Do("publish"), Do("scene")),), faults=(Fault(answer="crossed"), Fault(nth=1, answer="crossed"))
    ),
    "7: the same in a batch, of which one image is not made": Scenario(
        images=(*TWO, Image(url=2)),
        processes=((Do("publish_all", images=(0, 1, 2)),),),
        faults=(Fault(answer="crossed"), Fault(nth=2, answer="crossed", commit="no")),
    ),
    "7: the response to a read comes once more": Scenario(
        images=TWO,
        processes=((Do("publish_all", images=(1, 0)),),),
        faults=(Fault(answer="stale"),),
        foreign=(Foreign(differs="credits"),),
    ),
    "7: a refused read comes once more, as the answer to a write": Scenario(
        faults=(Fault(answer="stale"),), foreign=(Foreign(broken="404"),)
    ),
    "7: a refused read comes once more, and lists lag": Scenario(
        faults=(Fault(answer="stale"),), foreign=(Foreign(broken="404"),), lag=14.7
    ),
    "7: an image was changed since its receipt was given": Scenario(
        processes=((Do("send_again"), Do("save"), Do("publish_all")),), faults=(Fault(answer="502", commit="twice"),)
    ),
    "1: a limiter is asked for a request that was done, and looking fails": Scenario(
        faults=(Fault(answer="429"), Fault(on="list", nth=1, answer="garbage"))
    ),
    "1: a limiter is asked for a request that was done, and a record can't be read": Scenario(
        processes=((Do("publish", triggers=(Trigger("kill", "answer", 9),)), Do("publish"), Do("publish_all")),),
        faults=(Fault(answer="429", commit="no"),),
        foreign=(Foreign(at=6.0, broken="404"),),
    ),
    "8: the journal's folder is removed": Scenario(
        images=(*TWO, Image(url=2)),
        processes=((Do("publish_all", images=(0, 1, 2), triggers=(Trigger("gone", since="answer"),)),),),
    ),
    "9: the server is away while it is looked at": Scenario(
        processes=((Do("publish_all"), Do("settle_all")),),
        faults=(
            Fault(answer="drop"),
            *(Fault(on="list", nth=nth, answer="drop", commit="no") for nth in range(1, 12)),
        ),
    ),
    "10: records appear while a batch goes on": Scenario(
        images=TWO,
        processes=((Do("publish_all", images=(0, 1)),),),
        faults=(Fault(answer="502", commit="late", seconds=12.0),),
    ),
    "11: another placement at the same URL": Scenario(
        images=(Image(), Image(center=1)), processes=((Do("publish"), Do("publish", images=(1,), again=True)),)
    ),
    "18: interrupted while it waits for the answer": Scenario(
        processes=((Do("publish", triggers=(Trigger("interrupt", "answer", 5), Trigger("interrupt", "trigger", 2))),),)
    ),
    "16: a stranger's record has no note": Scenario(images=TWO, foreign=(Foreign(broken="null"),)),
    "16: a stranger's record can't be read": Scenario(images=TWO, foreign=(Foreign(broken="404"),)),
    "the disk is full while an unclear outcome is looked for": Scenario(
        processes=((Do("publish", triggers=(Trigger("full", since="answer", steps=234),)),),),
        faults=(Fault(answer="503"),),
    ),
}


def _raced(steps: int) -> Scenario:
    """One program rests for a while after so many statements, and another one publishes the same meanwhile."""
    rests = Do("publish", triggers=(Trigger("pause", steps=steps, seconds=20.0),))
    return Scenario(processes=((rests,), (Do("publish"),)), starts=(0.0, 1.0))


# Somewhere among these lies the claim: after the plan, and before the request.
SCENARIOS |= {
    f"0: another program publishes it after {steps} statements": _raced(steps) for steps in range(400, 1000, 50)
}
