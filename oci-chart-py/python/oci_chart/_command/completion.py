"""Completions for shells, written from the table of verbs.

The scripts hold all there is to know, so that a press of the tab key starts no program.
"""

from __future__ import annotations

from .verb import Argument, Completes, Option, Outcome, Verb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .verb import Options

HELP = Option("-h", "--help", help="show what the command takes")


def _completion(options: Options) -> Outcome:
    from .table import VERBS

    script = _SHELLS[options.shell](VERBS)
    return Outcome({"shell": options.shell, "script": script}, script.removesuffix("\n"))


def _options(verb: Verb) -> tuple[Option, ...]:
    from .parser import JSON

    return (*verb.options, JSON, HELP)


def _bash(verbs: tuple[Verb, ...]) -> str:
    return _BASH.format(
        verbs=" ".join(verb.name for verb in verbs),
        values="".join(_bash_values(verbs)),
        flags="".join(
            f"            {verb.name}) words='{' '.join(flag for option in _options(verb) for flag in option.flags)}' ;;\n"
            for verb in verbs
        ),
        places="".join(
            f"            {verb.name}) {_bash_offer(argument)} ;;\n"
            for verb in verbs
            if (argument := _offered(verb)) is not None
        ),
    )


def _bash_values(verbs: tuple[Verb, ...]) -> Iterator[str]:
    for verb in verbs:
        for option in _options(verb):
            if option.takes is not None:
                cases = "|".join(f"'{verb.name} {flag}'" for flag in option.flags)
                yield f"        {cases}) {_bash_offer(option)}; return ;;\n"


def _bash_offer(what: Argument | Option) -> str:
    if what.choices:
        return f"_oci_chart_offer -W '{' '.join(what.choices)}'"
    return {
        Completes.FILE: "_oci_chart_offer -f",
        Completes.DIRECTORY: "_oci_chart_offer -d",
        Completes.NOTHING: ":",
    }[what.completes]


def _zsh(verbs: tuple[Verb, ...]) -> str:
    return _ZSH.format(
        verbs="".join(f"            {_quoted(f'{verb.name}:{_zsh_text(verb.help)}')}\n" for verb in verbs),
        cases="".join(_zsh_case(verb) for verb in verbs),
    )


def _zsh_case(verb: Verb) -> str:
    specs = [
        spec for option in _options(verb) for flag in option.flags for spec in [_zsh_option(option, flag)]
    ]
    for place, argument in enumerate(verb.arguments, 1):
        optional = ":" if argument.optional else ""
        specs.append(f"{place}:{optional}{argument.name}:{_zsh_offer(argument)}")
    lines = "".join(f" \\\n                {_quoted(spec)}" for spec in specs)
    return f"        {verb.name})\n            _arguments -s{lines}\n            ;;\n"


def _zsh_option(option: Option, flag: str) -> str:
    others = "*" if option.many else f"({' '.join(option.flags)})"
    value = f":{option.takes}:{_zsh_offer(option)}" if option.takes is not None else ""
    return f"{others}{flag}[{_zsh_text(option.help)}]{value}"


def _zsh_text(text: str) -> str:
    return text.replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")


def _zsh_offer(what: Argument | Option) -> str:
    if what.choices:
        return f"({' '.join(what.choices)})"
    return {Completes.FILE: "_files", Completes.DIRECTORY: "_directories", Completes.NOTHING: " "}[
        what.completes
    ]


def _fish(verbs: tuple[Verb, ...]) -> str:
    lines = ["complete -c oci-chart -f"]
    for verb in verbs:
        lines.append(
            f"complete -c oci-chart -n __fish_use_subcommand -a {verb.name} -d {_fish_quoted(verb.help)}"
        )
    for verb in verbs:
        start = f"complete -c oci-chart -n '__fish_seen_subcommand_from {verb.name}'"
        for option in _options(verb):
            flags = " ".join(
                f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags
            )
            value = f" {_fish_offer(option)}" if option.takes is not None else ""
            lines.append(f"{start} {flags}{value} -d {_fish_quoted(option.help)}")
        if (argument := _offered(verb)) is not None:
            lines.append(f"{start} {'-F' if argument.completes == Completes.FILE else _fish_offer(argument)}")
    return "\n".join(lines) + "\n"


def _fish_offer(what: Argument | Option) -> str:
    if what.choices:
        return f"-x -a '{' '.join(what.choices)}'"
    return {
        Completes.FILE: "-r -F",
        Completes.DIRECTORY: "-x -a '(__fish_complete_directories)'",
        Completes.NOTHING: "-x",
    }[what.completes]


def _offered(verb: Verb) -> Argument | None:
    """The first argument that a shell can offer something for."""
    return next((found for found in verb.arguments if found.choices or found.completes != Completes.NOTHING), None)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


_BASH = """\
# oci-chart completion for bash: source <(oci-chart completion bash)
_oci_chart_offer() {{
    local IFS=$'\\n'
    [ "$1" = -W ] || compopt -o filenames 2>/dev/null
    if [ "$1" = -W ]; then
        IFS=$' \\n' COMPREPLY=($(compgen -W "$2" -- "$current"))
    else
        COMPREPLY=($(compgen "$1" -- "$current"))
    fi
}}
_oci_chart() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}} verb=${{COMP_WORDS[1]}} words=
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        _oci_chart_offer -W '{verbs} --help --version'
        return
    fi
    # Bash takes --option=value apart.
    if [ "$current" = = ]; then
        current=
    elif [ "$previous" = = ]; then
        previous=${{COMP_WORDS[COMP_CWORD - 2]}}
    fi
    case "$verb $previous" in
{values}    esac
    case $current in
    -*)
        case $verb in
{flags}        esac
        _oci_chart_offer -W "$words"
        ;;
    *)
        case $verb in
{places}        esac
        ;;
    esac
}}
complete -F _oci_chart oci-chart
"""

_ZSH = """\
#compdef oci-chart
# oci-chart completion for zsh: a file _oci-chart in a directory of $fpath, or source <(oci-chart completion zsh)
_oci_chart() {{
    local context state state_descr line
    typeset -A opt_args
    _arguments -C '(- *)'{{-h,--help}}'[show the commands]' '(- *)--version[show the version]' '1:command:->command' '*::argument:->argument'
    case $state in
    command)
        local -a verbs
        verbs=(
{verbs}        )
        _describe command verbs
        ;;
    argument)
        case $line[1] in
{cases}        esac
        ;;
    esac
}}
if [ "$funcstack[1]" = _oci_chart ]; then
    _oci_chart "$@"
else
    compdef _oci_chart oci-chart
fi
"""

_SHELLS: dict[str, Callable[[tuple[Verb, ...]], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}

VERB = Verb(
    name="completion",
    help="Print the completions for a shell.",
    run=_completion,
    arguments=(Argument(name="SHELL", choices=tuple(_SHELLS), help="the shell"),),
)
