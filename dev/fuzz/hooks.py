"""What Schemathesis is told about this shop. Loaded by `./shop fuzz`.

Random ids name nothing, so half of them become a product that exists; categories, which cannot be removed, are kept to
three; products that were made are written down, so that the verb removes them. Every choice follows from the value that
was generated, never from what was answered before: a seed has to give the same requests again.
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


def number(value):
    return zlib.crc32(str(value).encode("utf-8", "replace"))


def existing(value):
    """The value, or the product that exists when the value could be an id."""
    try:
        uuid.UUID(value)
    except (ValueError, AttributeError, TypeError):
        return value
    return PRODUCT if number(value) % 2 else value


@schemathesis.hook
def before_call(context, case, kwargs):
    path, values = case.operation.path, case.path_parameters
    if isinstance(values, dict):
        # The product has to outlive the run.
        if case.method.upper() != "DELETE" and any(part in path for part in OF_A_PRODUCT):
            for name in ("id", "product_id"):
                if name in values:
                    values[name] = existing(values[name])
        slug = values.get("slug")
        if isinstance(slug, str) and SLUG.fullmatch(slug):
            values["slug"] = f"fuzz-{number(slug) % 3}"
    if isinstance(case.body, dict) and isinstance(case.body.get("lines"), list):
        for line in case.body["lines"]:
            if isinstance(line, dict) and "product_id" in line:
                line["product_id"] = existing(line["product_id"])


@schemathesis.hook
def after_call(context, case, response):
    places = response.headers.get("location") or []
    if response.status_code == 201 and case.operation.path == "/api/v1/products":
        with open(MADE, "a", encoding="utf-8") as file:
            file.writelines(f"{place}\n" for place in places)
