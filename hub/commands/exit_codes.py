"""What the exit codes of commands mean, beyond what all have in common. docs/commands.md is made from it."""

COMMON = {
    0: "done; `serve`: stopped by SIGTERM; `work`: by SIGTERM or Ctrl-C",
    1: "it could not be done, or is done and something needs a look: a message on standard error says what",
    2: "wrong options, or settings that are missing or wrong: each is named with its cure",
    130: "Ctrl-C, but for `work`",
}
EXIT_CODES: dict[str, dict[int, str]] = {
    "alerts": {0: "nothing stands", 1: "something does, and is shown"},
    "audit head": {1: "nothing has been sealed yet, or the database cannot be read"},
    "audit verify": {0: "nothing differs from what was sealed", 1: "something does, and is named"},
    "audit export": {2: "the file exists already"},
    "backfill": {1: "something was refused, or there was more than is read at once"},
    "db upgrade": {1: "the database cannot be reached, or a newer version of the hub made it"},
    "db copy": {1: "the target is not empty, or something differs: nothing was kept there"},
    "db backup": {1: "the file exists, or the database cannot be read"},
    "db restore": {1: "the file is no backup of this hub, or a hub is running"},
    "deliveries": {0: "something is known of it", 1: "nothing is known of it"},
    "demo": {
        0: "`--check`, `--case`, `--city`: all is as it must be; else ended by Ctrl-C",
        1: "a guarantee is broken, or an expectation or figure differs",
        2: "wrong options; `--check`: not finished in time, what is open is named",
        3: "`--case`, `--city`: something that was waited for never happened, and is named",
    },
    "doctor": {
        0: "fine, warnings perhaps",
        1: "there are problems",
        2: "settings are missing or wrong; nothing else was looked at",
    },
    "documents": {1: "a document does not fit the graph, or is none"},
    "drift": {0: "nothing is left", 1: "a comparison failed, or differences are left"},
    "reconcile": {0: "nothing is stuck", 1: "something is stuck"},
    "replay": {1: "something was refused"},
    "schema check": {0: "nothing breaks front ends", 1: "something does", 2: "OLD is no schema"},
    "serve": {1: "it cannot listen there, or the database cannot be used", 3: "the server did not start; the log says why"},
    "sync": {0: "every stream was read to its end", 1: "one could not be read"},
    "work": {1: "it cannot listen there, or the database cannot be used"},
}
