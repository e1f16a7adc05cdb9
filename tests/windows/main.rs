//! The Windows program, driven under Wine on a server that real Windows Installer packages have made, and looked at from
//! outside. `.ci/windows` builds what it needs and runs it; plain `cargo test` does not.
#![allow(clippy::panic, reason = "a scenario ends with a panic that says what is not so")]

mod machine;
mod packages;

use machine::{Machine, Programs};
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

const SCENARIOS: &[(&str, Scenario)] =
    &[("a_preview_changes_nothing", a_preview_changes_nothing), ("one_server_complete", one_server_complete)];

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

fn a_preview_changes_nothing(machine: &Machine) -> io::Result<()> {
    let plan = plan(machine)?;
    let all = |machine: &Machine| {
        [r"C:\inetpub", r"C:\Program Files", r"C:\ProgramData", r"C:\windows\system32\inetsrv"]
            .map(|path| machine.tree(path))
    };
    let before = (machine.products()?, all(machine));
    machine.pfupgrade(&["plan", plan, "--detailed-exitcode"])?.ended(3).says("PhoneFactor Agent 5.2.5");
    assert!(before == (machine.products()?, all(machine)), "a preview has changed something");
    Ok(())
}

fn one_server_complete(machine: &Machine) -> io::Result<()> {
    let plan = plan(machine)?;
    assert_eq!(machine.products()?, OLD_PRODUCTS);
    let before = [r"C:\inetpub", r"C:\Program Files\PhoneFactor"].map(|path| machine.tree(path));
    let key = r"HKLM\Software\Wow6432Node\Positive Networks";
    let registry = machine.registry(key)?;
    let config = machine.read(r"C:\windows\system32\inetsrv\config\applicationHost.config");

    machine.pfupgrade(&["run", plan, "--yes"])?.ended(0);
    assert_eq!(machine.products()?, NEW_PRODUCTS);
    assert_eq!(machine.registry(key)?, registry);
    assert_eq!(machine.service("MultiFactorAuth")?.as_deref(), Some("RUNNING"));
    assert_eq!(machine.service("PFSvc")?, None);
    assert!(machine.read(r"C:\Program Files\PhoneFactor\Data\PhoneFactor.pfdata").starts_with("PFDATA 7"));
    let portal = machine.read(&format!(r"{PORTAL}\web.config"));
    assert!(portal.contains("/MultiFactorAuthWebServiceSdk/PfWsSdk.asmx"), "{portal}");
    assert!(machine.exists(&format!(r"{PORTAL}\App_Themes\Contoso\Contoso.css")));
    assert!(!machine.exists(&format!(r"{PORTAL}\app_offline.htm")));
    assert!(!machine.exists(r"C:\inetpub\wwwroot\PhoneFactor"));
    let upgraded = machine.read(r"C:\windows\system32\inetsrv\config\applicationHost.config");
    assert!(upgraded.contains("path=\"/MultiFactorAuth\" applicationPool=\"PhoneFactor Pool\""), "{upgraded}");
    assert!(upgraded.contains("<location path=\"Default Web Site/MultiFactorAuth\">"), "{upgraded}");
    machine.pfupgrade(&["run", plan, "--yes"])?.ended(0);

    machine.pfupgrade(&["rollback", "--yes"])?.ended(0).says("Rolled back");
    assert_eq!(machine.products()?, OLD_PRODUCTS);
    assert_eq!(machine.registry(key)?, registry);
    assert_eq!(machine.service("PFSvc")?.as_deref(), Some("RUNNING"));
    assert_eq!(machine.service("MultiFactorAuth")?, None);
    let without_logs = |trees: [Vec<(PathBuf, u64, Vec<u8>)>; 2]| {
        trees.map(|tree| tree.into_iter().filter(|(path, ..)| !path.starts_with("Logs")).collect::<Vec<_>>())
    };
    let after = [r"C:\inetpub", r"C:\Program Files\PhoneFactor"].map(|path| machine.tree(path));
    for (before, after) in without_logs(before).iter().zip(&without_logs(after)) {
        let names = |tree: &[(PathBuf, u64, Vec<u8>)]| tree.iter().map(|(path, ..)| path.clone()).collect::<Vec<_>>();
        assert_eq!(names(before), names(after));
        for (before, after) in before.iter().zip(after) {
            assert!(before == after, "{} is not what it was", before.0.display());
        }
    }
    let mut lines = [config, machine.read(r"C:\windows\system32\inetsrv\config\applicationHost.config")]
        .map(|config| config.lines().map(str::to_owned).collect::<Vec<_>>());
    lines.iter_mut().for_each(|lines| lines.sort());
    assert_eq!(lines[0], lines[1]);
    Ok(())
}
