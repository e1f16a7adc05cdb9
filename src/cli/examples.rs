//! The examples at the end of each command's help.

pub(super) const ALL: &str = "\
Examples:
  pfupgrade init                          write a plan for this server
  pfupgrade plan                          show what a run would do
  pfupgrade run                           ask, then carry it out
  pfupgrade run plan.toml --simulate --yes

See `pfupgrade COMMAND --help` for details. The README lists all exit codes.";

pub(super) const PLAN: &str = "\
Examples:
  pfupgrade plan                          preview pfupgrade.toml on this server
  pfupgrade plan my.toml --simulate       the same on a demo machine
  pfupgrade plan --out change-17.json     save it for approval
  pfupgrade plan --json | ConvertFrom-Json";

pub(super) const RUN: &str = "\
Examples:
  pfupgrade run                           preview pfupgrade.toml, ask, carry it out
  pfupgrade run --yes --json-file run.jsonl
  pfupgrade run --approved change-17.json --yes
  pfupgrade run my.toml --simulate=demo --ask --yes";

pub(super) const RESUME: &str = "\
Examples:
  pfupgrade resume                        continue the last run
  pfupgrade resume --confirm activation   confirm that manual step
  pfupgrade resume --after-reboot resume";

pub(super) const ROLLBACK: &str = "\
Examples:
  pfupgrade rollback                      roll back the last run
  pfupgrade rollback --yes";

pub(super) const STATUS: &str = "\
Examples:
  pfupgrade status                        show the last run and the next command
  pfupgrade status --all";

pub(super) const REPORT: &str = "\
Examples:
  pfupgrade report --output report.md     the last run, as Markdown
  pfupgrade report --format html --output report.html
  pfupgrade report --json | ConvertFrom-Json";

pub(super) const VERIFY: &str = "\
Examples:
  pfupgrade verify                        one line per check; exits with 0 if all pass
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
  pfupgrade merge old.config new.config   show what would be migrated
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
