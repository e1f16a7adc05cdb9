//! The examples with which the help of each command ends.

pub(super) const ALL: &str = "\
Examples:
  pfupgrade init                          write a plan for this server
  pfupgrade plan                          see what it would do
  pfupgrade run                           do it, after a question
  pfupgrade run plan.toml --simulate --yes

`pfupgrade COMMAND --help` says more of each. The README has all exit codes.";

pub(super) const PLAN: &str = "\
Examples:
  pfupgrade plan                          preview pfupgrade.toml on this server
  pfupgrade plan my.toml --simulate       the same on a demo machine
  pfupgrade plan --out change-17.json     save it, to be approved
  pfupgrade plan --json | ConvertFrom-Json";

pub(super) const RUN: &str = "\
Examples:
  pfupgrade run                           preview pfupgrade.toml, ask, and do it
  pfupgrade run --yes --json-file run.jsonl
  pfupgrade run --approved change-17.json --yes
  pfupgrade run my.toml --simulate=demo --ask --yes";

pub(super) const RESUME: &str = "\
Examples:
  pfupgrade resume                        go on with the last run
  pfupgrade resume --confirm activation   what that gate asks for has been done
  pfupgrade resume --after-reboot resume";

pub(super) const ROLLBACK: &str = "\
Examples:
  pfupgrade rollback                      an unfinished run; a finished one is asked about
  pfupgrade rollback --yes";

pub(super) const STATUS: &str = "\
Examples:
  pfupgrade status                        the last run, and the command that goes on with it
  pfupgrade status --all";

pub(super) const REPORT: &str = "\
Examples:
  pfupgrade report --output evidence.md   the last run, as Markdown
  pfupgrade report --format html --output evidence.html
  pfupgrade report --json | ConvertFrom-Json";

pub(super) const VERIFY: &str = "\
Examples:
  pfupgrade verify                        a line a check; ends with 0 only if all hold
  pfupgrade verify --json";

pub(super) const INIT: &str = "\
Examples:
  pfupgrade init                          write pfupgrade.toml for this server
  pfupgrade init new.toml --installers D:\\Kits
  pfupgrade init --simulate=demo          for a demo machine in the folder demo";

pub(super) const CAPTURE: &str = "\
Examples:
  pfupgrade capture D:\\copy --plan my.toml
  pfupgrade capture D:\\small --without-packages
  pfupgrade plan my.toml --simulate=D:\\copy";

pub(super) const MERGE: &str = "\
Examples:
  pfupgrade merge old.config new.config   show what would be carried over
  pfupgrade merge old.config new.config --base shipped.config -o merged.config";

pub(super) const INSPECT: &str = "\
Examples:
  pfupgrade inspect MultiFactorAuthenticationUserPortalSetup64.msi
  pfupgrade inspect portal.msi --json";

pub(super) const SCHEMA: &str = "\
Examples:
  pfupgrade schema > plan.schema.json     of the plan
  pfupgrade schema events";

pub(super) const COMPLETIONS: &str = "\
Examples:
  pfupgrade completions powershell >> $PROFILE
  pfupgrade completions bash > ~/.local/share/bash-completion/completions/pfupgrade";
