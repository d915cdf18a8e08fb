"""Invalid vectors: evaluations (section 12.9)."""

from __future__ import annotations

import json
from typing import Any

from component_faults import lossy_sample, put, top
from faults import INVALID, Case, Fault, sample
from silt_seal import manifest_bytes, seal
from valid_lossy import EVALUATION
from vectors import Context

FORM = "the form of a number"


def _without(name: str) -> list[dict[str, Any]]:
    return [{key: value for key, value in EVALUATION.items() if key != name}]


def _with(**fields: Any) -> list[dict[str, Any]]:
    """A good evaluation, and one with other fields."""
    return [EVALUATION | {"metric": "f1"}, EVALUATION | fields]


EVALUATIONS: dict[str, tuple[str, str, Any]] = {
    "manifest-evaluations-none": ("manifest", "An array of no evaluations.", []),
    "manifest-evaluations-object": ("manifest", "One evaluation that is in no array.", EVALUATION),
    "manifest-evaluations-null": ("manifest", "null for no evaluations.", None),
    "manifest-evaluation-string": ("manifest", "An evaluation is a string.", ["accuracy"]),
    "limit-evaluations": ("limit", "65 evaluations.",
                          [EVALUATION | {"metric": f"class.{number}"} for number in range(65)]),
    "manifest-evaluation-twice": ("manifest", "Two evaluations of the same data, use and metric.",
                                  _with(metric="f1", rebuilt=0.9)),
    "extension-evaluation": ("extension", "An evaluation has an unknown field.", _with(seconds=3)),
    "manifest-evaluation-short": ("manifest", "The data's SHA-256 has 63 digits.", _with(data="0" * 63)),
    "manifest-evaluation-long": ("manifest", "The data's SHA-256 has 65 digits.", _with(data="0" * 65)),
    "manifest-evaluation-upper": ("manifest", "The data's SHA-256 has an upper-case digit.",
                                  _with(data="A" + "0" * 63)),
    "manifest-evaluation-use": ("manifest", "The use of data is training.", _with(use="training")),
    "manifest-evaluation-use-case": ("manifest", "The use of data is Test.", _with(use="Test")),
    "manifest-evaluation-metric-empty": ("manifest", "A metric without a name.", _with(metric="")),
    "manifest-evaluation-metric-long": ("manifest", "A metric whose name has 65 characters.",
                                        _with(metric="a" * 65)),
    "manifest-evaluation-metric-upper": ("manifest", "A metric with an upper-case letter.",
                                         _with(metric="F1")),
    "manifest-evaluation-metric-space": ("manifest", "A metric with a space.", _with(metric="top 5")),
    "manifest-evaluation-metric-line": ("manifest", "A metric that ends with a line feed.",
                                        _with(metric="accuracy\n")),
    "manifest-evaluation-metric-letter": ("manifest", "A metric with a letter that is not of ASCII.",
                                          _with(metric="größe")),
    "manifest-evaluation-metric-number": ("manifest", "A metric is a number.", _with(metric=1)),
    "manifest-evaluation-examples-0": ("manifest", "No examples.", _with(examples=0)),
    "manifest-evaluation-examples-negative": ("manifest", "A negative number of examples.",
                                              _with(examples=-1)),
    "manifest-evaluation-examples-point": ("manifest", "The number of examples has a point.",
                                           _with(examples=872.0)),
    "manifest-evaluation-examples-large": ("manifest", "2^63 examples.", _with(examples=2**63)),
    "manifest-evaluation-number-string": ("manifest", "A metric of the result is a string.",
                                          _with(rebuilt="0.9")),
    "manifest-evaluation-number-boolean": ("manifest", "A metric of the fine-tuned checkpoint is a boolean.",
                                           _with(finetuned=True)),
    "manifest-evaluation-base-null": ("manifest", "null for no metric of the base.", _with(base=None)),
    "manifest-evaluation-no-data": ("manifest", "An evaluation without data.", _without("data")),
    "manifest-evaluation-no-use": ("manifest", "An evaluation without use.", _without("use")),
    "manifest-evaluation-no-metric": ("manifest", "An evaluation without metric.", _without("metric")),
    "manifest-evaluation-no-examples": ("manifest", "An evaluation without examples.", _without("examples")),
    "manifest-evaluation-no-fine-tuned": ("manifest", "An evaluation without finetuned.",
                                          _without("finetuned")),
    "manifest-evaluation-no-rebuilt": ("manifest", "An evaluation without rebuilt.", _without("rebuilt")),
}  # fmt: skip


def _form(number: str, about: str, field: str = "rebuilt") -> Fault:
    """A number in a form that Python would not write."""

    def case(context: Context) -> Case:
        draft = lossy_sample(context, put(top, evaluations=_with(**{field: FORM})))
        text = json.dumps(draft.manifest, separators=(",", ":")).replace(f'"{FORM}"', number)
        return Case("manifest", about, seal(draft, manifest=manifest_bytes(text.encode())))

    return case


def _lossy(error: str, about: str, evaluations: Any) -> Fault:
    return lambda context: Case(error, about, seal(lossy_sample(context, put(top, evaluations=evaluations))))


def _exact(context: Context) -> Case:
    draft = sample(context, put(top, evaluations=[EVALUATION]))
    return Case("manifest", "Evaluations under the contract exact.", seal(draft))


INVALID.update({name: _lossy(*fault) for name, fault in EVALUATIONS.items()})
INVALID["manifest-evaluations-exact"] = _exact
INVALID["manifest-evaluation-infinite"] = _form("1e999", "A metric that is not finite in binary64.")
INVALID["manifest-evaluation-base-infinite"] = _form("-1e999", "The base's metric is not finite.", "base")
INVALID["manifest-evaluation-nan"] = _form("NaN", "A metric is NaN, which is not JSON.")
