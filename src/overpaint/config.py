"""Typed settings from YAML files and flags: strict names, strict types, files first and flags over them.

A section is a class whose keyword arguments are the settings of one part; jsonargparse reads types, defaults and
help from it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import ArgumentError, ArgumentParser, Namespace, set_parsing_settings

from overpaint.errors import ConfigError

set_parsing_settings(docstring_parse_attribute_docstrings=True)


@dataclass(frozen=True)
class Section:
    """Settings of one part: its class, what else is allowed to stand there, and arguments that are no settings."""

    settings: type
    skip: tuple[str, ...] = ()
    name: str | None = None


def section_parser(sections: dict[str, Section], usage: str | None = None) -> ArgumentParser:
    """A parser with a flag ``--section.field`` for every setting."""
    parser = ArgumentParser(exit_on_error=False, usage=usage, add_help=False, prog="overpaint")
    for key, section in sections.items():
        if section.name is not None:
            parser.add_argument(f"--{key}.name", type=str, default=section.name, help=f"which {key}")
        parser.add_class_arguments(section.settings, key, skip=set(section.skip), fail_untyped=False)
    return parser


def parse_sections(sections: dict[str, Section], settings: dict[str, Any], flags: Sequence[str] = ()) -> dict[str, Any]:
    """Checks settings against their sections and fills in every default.

    Args:
        sections: the parts, by name.
        settings: as read from YAML.
        flags: ``--section.field value`` or ``--section.field=value``, over the settings.

    Returns:
        For each section a dict with all fields.

    Raises:
        ConfigError: for unknown names and wrong types, naming the field.
    """
    parser = section_parser(sections)
    known = _known_fields(parser)
    for path in _paths(settings):
        _check_known(path, known)
    for flag in flags:
        if flag.startswith("--"):
            _check_known(flag[2:].split("=", 1)[0], known, "--")
    try:
        base = parser.parse_object(settings)
        merged = parser.parse_args(list(flags), namespace=base) if flags else base
    except ArgumentError as error:
        raise ConfigError(_plain_words(str(error))) from None
    plain = merged.as_dict() if isinstance(merged, Namespace) else merged
    return {key: plain[key] for key in sections}


def read_yaml(path: Path) -> dict[str, Any]:
    """Settings from a YAML file.

    Raises:
        ConfigError: if it is missing or not a mapping.
    """
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file of settings") from None
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path} can't be read as YAML: {_one_line(str(error))}") from None
    if settings is None:
        return {}
    if not isinstance(settings, dict):
        raise ConfigError(f"{path} holds a {type(settings).__name__}, not settings by section (data:, model:, train:)")
    return settings


def dump_yaml(settings: dict[str, Any]) -> str:
    """Settings as YAML, in their order."""
    return yaml.safe_dump(settings, sort_keys=False, default_flow_style=False)


def merge(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Settings with others laid over them, section by section.

    Where ``over`` names another part than ``under`` does, the options of the old part don't carry over.
    """
    merged = dict(under)
    for key, value in over.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            other_part = "name" in value and value["name"] != old.get("name", value["name"])
            merged[key] = value if other_part else merge(old, value)
        else:
            merged[key] = value
    return merged


def _known_fields(parser: ArgumentParser) -> set[str]:
    return {action.dest for action in parser._actions if "." in action.dest}


def _paths(settings: dict[str, Any], prefix: str = "") -> list[str]:
    """The dotted names of all leaves."""
    paths = []
    for key, value in settings.items():
        path = f"{prefix}{key}"
        paths += _paths(value, f"{path}.") if isinstance(value, dict) else [path]
    return paths


def _check_known(path: str, known: set[str], lead: str = "") -> None:
    if path in known:
        return
    section = path.split(".")[0]
    close = get_close_matches(path, known, n=1)
    hint = f"; did you mean {lead}{close[0]}?" if close else ""
    within = sorted(name for name in known if name.startswith(f"{section}.")) or sorted(
        {n.split(".")[0] for n in known}
    )
    raise ConfigError(f"unknown setting {lead}{path}{hint} Known there: {', '.join(within)}")


def _plain_words(message: str) -> str:
    """jsonargparse's complaint about a value as ``field: expected this, got that``."""
    message = _one_line(message)
    message = re.sub(r'^Parser key "([^"]+)": ', r"\1: ", message)
    message = re.sub(r"Expected a <class '(\w+)'>\.", r"expected \1,", message)
    message = re.sub(r"Expected a typing\.Literal\[(.*?)\]\.", r"expected one of \1,", message)
    return message.replace("Got value:", "got")


def _one_line(message: str) -> str:
    return re.sub(r"\s+", " ", message).strip()
