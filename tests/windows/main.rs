//! The Windows program, driven under Wine on a server that real Windows Installer packages have made, and looked at from
//! outside. `.ci/windows` builds what it needs and runs it; plain `cargo test` does not.
#![allow(clippy::panic, reason = "a scenario ends with a panic that says what is not so")]

mod machine;
mod packages;

use machine::{File, Machine, Programs};
use std::io;
use std::path::PathBuf;
use std::{env, fs, panic};

const PORTAL: &str = r"C:\inetpub\wwwroot\MultiFactorAuth";
const OLD_PRODUCTS: [&str; 4] = [
    "PhoneFactor Agent",
    "PhoneFactor Mobile App Web Service",
    "PhoneFactor User Portal",
    "PhoneFactor Web Service SDK",
];
const NEW_PRODUCTS: [&str; 4] = [
    "Multi-Factor Authentication Mobile App Web Service",
    "Multi-Factor Authentication Server",
    "Multi-Factor Authentication User Portal",
    "Multi-Factor Authentication Web Service SDK",
];

type Scenario = fn(&Machine) -> io::Result<()>;

const SCENARIOS: &[(&str, Scenario)] = &[
    ("a_preview_changes_nothing", a_preview_changes_nothing),
    ("one_server_complete", one_server_complete),
    ("a_killed_run_goes_on", a_killed_run_goes_on),
];

fn main() -> io::Result<()> {
    let built = env::var_os("PFUPGRADE_WINDOWS").map(PathBuf::from);
    let Some(built) = built else {
        eprintln!("PFUPGRADE_WINDOWS has to name the folder of the Windows programs: run .ci/windows");
        std::process::exit(2);
    };
    let wanted: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let folder = env::temp_dir().join(format!("pfupgrade-wine-{}", std::process::id()));
    println!("preparing a server in {}", folder.display());
    let base = Machine::prepare(folder.join("base"), &Programs(built))?;
    let mut failed = Vec::new();
    for (name, scenario) in SCENARIOS {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| name.contains(wanted.as_str())) {
            continue;
        }
        println!("scenario {name}");
        let machine = base.copy(name)?;
        let ended = panic::catch_unwind(panic::AssertUnwindSafe(|| {
            scenario(&machine).unwrap_or_else(|error| panic!("{name}: {error}"));
            drop(machine);
        }));
        println!("scenario {name} {}", if ended.is_ok() { "ok" } else { "FAILED" });
        if ended.is_err() {
            failed.push(*name);
        }
    }
    drop(base);
    if failed.is_empty() {
        return fs::remove_dir_all(&folder);
    }
    eprintln!("failed: {}; their machines are in {}", failed.join(", "), folder.display());
    std::process::exit(1);
}

fn plan(machine: &Machine) -> io::Result<&'static str> {
    machine.write(r"C:\plan.toml", include_bytes!("plan.toml"))?;
    Ok(r"C:\plan.toml")
}

/// The folders that hold what the product is, as they are now. Logs live, as services do.
fn folders(machine: &Machine) -> Vec<File> {
    let all = [r"C:\inetpub", r"C:\Program Files", r"C:\Install", r"C:\windows\system32\inetsrv\backup"];
    let files = all.iter().flat_map(|folder| machine.tree(folder));
    files.filter(|file| !file.path.to_string_lossy().contains("/Logs/")).collect()
}

/// Compares file by file, so that a difference is told by its name.
fn assert_same(before: &[File], after: &[File]) {
    let names = |files: &[File]| files.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
    assert_eq!(names(before), names(after));
    for (before, after) in before.iter().zip(after) {
        assert!(before == after, "{} is not what it was", before.path.display());
    }
}

/// The lines of IIS's configuration in an order of their own: where an application stands in it means nothing.
fn iis(machine: &Machine) -> Vec<String> {
    let config = machine.read(r"C:\windows\system32\inetsrv\config\applicationHost.config");
    let mut lines: Vec<String> = config.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn a_preview_changes_nothing(machine: &Machine) -> io::Result<()> {
    let plan = plan(machine)?;
    let before = (machine.products()?, iis(machine), folders(machine));
    machine.pfupgrade(&["plan", plan, "--detailed-exitcode"])?.ended(3).says("PhoneFactor Agent 5.2.5");
    assert_eq!((&before.0, &before.1), (&machine.products()?, &iis(machine)));
    assert_same(&before.2, &folders(machine));
    assert!(!machine.exists(r"C:\ProgramData\pfupgrade"));
    Ok(())
}

fn one_server_complete(machine: &Machine) -> io::Result<()> {
    let plan = plan(machine)?;
    assert_eq!(machine.products()?, OLD_PRODUCTS);
    let key = r"HKLM\Software\Wow6432Node\Positive Networks";
    let (files, registry, config) = (folders(machine), machine.registry(key)?, iis(machine));

    machine.pfupgrade(&["run", plan, "--yes"])?.ended(0);
    is_upgraded(machine)?;
    assert_eq!(machine.registry(key)?, registry);
    machine.pfupgrade(&["run", plan, "--yes"])?.ended(0);

    machine.pfupgrade(&["rollback", "--yes"])?.ended(0).says("Rolled back");
    assert_eq!(machine.products()?, OLD_PRODUCTS);
    assert_eq!(machine.registry(key)?, registry);
    assert_eq!(machine.service("PFSvc")?.as_deref(), Some("RUNNING"));
    assert_eq!(machine.service("MultiFactorAuth")?, None);
    assert_eq!(iis(machine), config);
    assert_same(&files, &folders(machine));
    Ok(())
}

/// The program is killed while Windows Installer works for it, which works on.
fn a_killed_run_goes_on(machine: &Machine) -> io::Result<()> {
    let plan = plan(machine)?;
    let (files, config) = (folders(machine), iis(machine));
    machine.pfupgrade_killed_at(&["run", plan, "--yes"], "uninstall-server.log")?;
    machine.pfupgrade_killed_at(&["resume"], "install-portal.log")?;
    machine.pfupgrade(&["resume"])?.ended(0);
    is_upgraded(machine)?;
    machine.pfupgrade(&["rollback", "--yes"])?.ended(0);
    assert_eq!(machine.products()?, OLD_PRODUCTS);
    assert_eq!(iis(machine), config);
    assert_same(&files, &folders(machine));
    Ok(())
}

/// Looks at everything the upgrade of the whole server has to have done.
fn is_upgraded(machine: &Machine) -> io::Result<()> {
    assert_eq!(machine.products()?, NEW_PRODUCTS);
    assert_eq!(machine.service("MultiFactorAuth")?.as_deref(), Some("RUNNING"));
    assert_eq!(machine.service("PFSvc")?, None);
    assert!(machine.read(r"C:\Program Files\PhoneFactor\Data\PhoneFactor.pfdata").starts_with("PFDATA 7"));
    let portal = machine.read(&format!(r"{PORTAL}\web.config"));
    assert!(portal.contains(r"FABRIKAM\svc-pfportal") && portal.contains("theme=\"Contoso\""), "{portal}");
    assert!(portal.contains("/MultiFactorAuthWebServiceSdk/pfwssdk.asmx"), "{portal}");
    assert!(machine.exists(&format!(r"{PORTAL}\App_Themes\Contoso\Contoso.css")));
    assert!(!machine.exists(&format!(r"{PORTAL}\app_offline.htm")));
    assert!(!machine.exists(r"C:\inetpub\wwwroot\PhoneFactor"));
    let config = iis(machine).join("\n");
    assert!(config.contains("path=\"/MultiFactorAuth\" applicationPool=\"PhoneFactor Pool\""), "{config}");
    let location = "<location path=\"Default Web Site/MultiFactorAuthWebServiceSdk\"><system.webServer><security>";
    assert!(config.contains(&format!("{location}<access sslFlags=\"Ssl\" />")), "{config}");
    assert!(
        config.contains(&format!("{location}<authentication><basicAuthentication enabled=\"true\" />")),
        "{config}"
    );
    Ok(())
}
