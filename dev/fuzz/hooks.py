"""What Schemathesis is told about this shop. Loaded by `./shop fuzz`.

Random ids name nothing and random words break rules that a document has only in words, so that all would end at the first
check: half of the requests get values that may pass. Categories, which cannot be removed, are kept to three; products that
were made are written down for the verb to remove. Every choice follows from what was generated, never from an earlier
answer: a seed has to give the same requests again.
"""

import os
import re
import uuid
import zlib

import schemathesis

PRODUCT = os.environ["SHOP_FUZZ_PRODUCT"]
MADE = os.environ["SHOP_FUZZ_MADE"]
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
OF_A_PRODUCT = ("/stock/", "/cart/lines/", "/products/", "/recommendations/")
KEY = "idempotency-key"
# By the name of a field: what passes, from a number.
PASSING = {
    "email": lambda n: f"fuzz-{n}@example.com",
    "country": lambda n: ("DE", "FR", "US")[n % 3],
    "currency": lambda n: "EUR",
    "payment_token": lambda n: ("tok_ok", "tok_declined", "tok_slow")[n % 3],
    "quantity": lambda n: 1 + n % 9,
    "amount_cents": lambda n: 1 + n % 99,
    "price_cents": lambda n: n % 100_000,
    "content_type": lambda n: "image/png",
    "bytes": lambda n: 1 + n % 100_000,
    "url": lambda n: f"https://example.com/{n}",
}


def number(value):
    return zlib.crc32(repr(value).encode("utf-8", "replace"))


def existing(value):
    """The value, or the product that exists when the value could be an id."""
    try:
        uuid.UUID(value)
    except (ValueError, AttributeError, TypeError):
        return value
    return PRODUCT if number(value) % 2 else value


def passing(value, n):
    """A body with passing values where it has any of that type: a wrong type stays wrong."""
    if isinstance(value, list):
        return [passing(item, n) for item in value]
    if not isinstance(value, dict):
        return value
    better = {}
    for name, old in value.items():
        new = PASSING[name](n) if name in PASSING else passing(old, n)
        same = type(new) is type(old)
        better[name] = existing(old) if name == "product_id" else new if same else old
    return better


@schemathesis.hook
def before_call(context, case, kwargs):
    path, values, body = case.operation.path, case.path_parameters, case.body
    if isinstance(values, dict):
        # The product has to outlive the run.
        if case.method.upper() != "DELETE" and any(part in path for part in OF_A_PRODUCT):
            for name in ("id", "product_id"):
                if name in values:
                    values[name] = existing(values[name])
        slug = values.get("slug")
        if isinstance(slug, str) and SLUG.fullmatch(slug):
            values["slug"] = f"fuzz-{number(slug) % 3}"
    n = number(body)
    if isinstance(body, (dict, list)) and n % 2:
        case.body = passing(body, n)
        # Only the operator may choose it.
        if path == "/api/v1/users" and isinstance(case.body, dict):
            case.body.pop("id", None)
    for name in list(case.headers or ()):
        if name.lower() == KEY and number(case.headers[name]) % 2:
            case.headers[name] = f"fuzz-{number(case.headers[name])}"


@schemathesis.hook
def after_call(context, case, response):
    places = response.headers.get("location") or []
    if response.status_code == 201 and case.operation.path == "/api/v1/products":
        with open(MADE, "a", encoding="utf-8") as file:
            file.writelines(f"{place}\n" for place in places)
