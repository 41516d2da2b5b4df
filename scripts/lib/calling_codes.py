"""Writes which digits belong to which country, and which are refused, from the metadata of libphonenumber.

A prefix is a country's when, among the numbers that begin with it, only that country has any. `calling_codes.rs` says
what the tables are for.
"""

import sys
import textwrap
from pathlib import Path

import regex
from phonenumbers import PhoneMetadata
from phonenumbers.data import _COUNTRY_CODE_TO_REGION_CODE as COUNTRIES_BY_CODE

ORDINARY = ("fixed_line", "mobile", "voip")
# They bill the caller or follow a person.
REFUSED = ("premium_rate", "shared_cost", "personal_number")
DIGITS = "0123456789"

# Where the patterns alone do not decide, and why.
ADDED = {
    "BL": ["59059027", "59059029", "59059051", "59059052", "59059087"],  # also in the patterns of GP or MF
    "CW": ["5999"],  # BQ has 3, 4 and 7; the rest of 599 is nobody's
    "EH": ["2125288", "2125289"],  # its leading digits; also in the patterns of MA
    "IM": ["447624", "447924"],  # also in the patterns of GB, for pagers and mobiles
    "KZ": ["76"],  # reserved for it
}
LEFT_OUT = {
    "CA": ["1600"],  # satellite
    # Small blocks of fixed numbers, which stay with the main country.
    "CC": ["61851", "618917"],
    "CX": ["61851", "618919"],
    "MF": ["59059030"],
    # Wider than what is added above.
    "CW": ["599"],
    "IM": ["4476"],
}
# The old second form of each Mexican mobile number.
ALSO_REFUSED = ["521"]


def metadata(country):
    return PhoneMetadata.metadata_for_region(country)


def patterns(country, kinds):
    descriptions = (getattr(metadata(country), kind) for kind in kinds)
    return [regex.compile(d.national_number_pattern) for d in descriptions if d and d.national_number_pattern]


def begins(patterns, digits):
    """Whether a number that begins with these digits can match."""
    return any(pattern.fullmatch(digits, partial=True) for pattern in patterns)


def own_prefixes(code, countries, at_least, at_most=6):
    """The shortest prefixes, of `at_least` national digits, behind which only one of the countries has numbers."""
    known = {country: patterns(country, ORDINARY) for country in countries}
    found = {country: [] for country in countries}

    def walk(digits):
        having = [country for country in countries if begins(known[country], digits)]
        if len(having) == 1 and len(digits) >= at_least:
            found[having[0]].append(f"{code}{digits}")
        elif having and len(digits) < at_most:
            for digit in DIGITS:
                walk(digits + digit)

    walk("")
    return found


def countries():
    table = {}
    for code, members in COUNTRIES_BY_CODE.items():
        if members == ("001",):
            continue
        main, *others = members
        # +1 by area code, since none of its countries may be the default of another's.
        found = own_prefixes(code, members, 3 if code == 1 else 0) if others else {main: []}
        if code not in (1, 7):
            found[main] = [str(code)]
        for country, prefixes in found.items():
            left_out = tuple(LEFT_OUT.get(country, ()))
            kept = [prefix for prefix in prefixes if not (left_out and prefix.startswith(left_out))]
            table[country] = sorted([*kept, *ADDED.get(country, [])])
    return dict(sorted(table.items()))


def refused(table, at_most=3):
    listed = [prefix for prefixes in table.values() for prefix in prefixes]
    found = list(ALSO_REFUSED)
    for code, members in COUNTRIES_BY_CODE.items():
        if code == 1 or members == ("001",):
            continue
        ordinary, billing = ([p for country in members for p in patterns(country, kinds)] for kinds in (ORDINARY, REFUSED))

        def walk(digits):
            if not begins(billing, digits):
                return
            if digits and not begins(ordinary, digits):
                prefix = f"{code}{digits}"
                if prefix.startswith(tuple(listed)):
                    found.append(prefix)
            elif len(digits) < at_most:
                for digit in DIGITS:
                    walk(digits + digit)

        walk("")
    return sorted(found)


def main(folder):
    table = countries()
    lines = [" ".join([country, *prefixes]) for country, prefixes in table.items()]
    (folder / "countries.txt").write_text("".join(f"{line}\n" for line in lines))
    (folder / "refused.txt").write_text(textwrap.fill(" ".join(refused(table)), 100) + "\n")


main(Path(sys.argv[1]))
