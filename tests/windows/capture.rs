//! A real machine captured into a simulated one.

use crate::machine::Machine;
use serde_json::Value;
use std::io;

/// The capture previews the same as the machine that it came from, and can be rehearsed on to the end.
pub(crate) fn a_captured_machine_previews_the_same(machine: &Machine) -> io::Result<()> {
    let plan = machine.plan(&[])?;
    let data = r"C:\Program Files\PhoneFactor\Data";
    machine.write(&format!(r"{data}\secret"), b"tell nobody about this")?;
    let previewed = |simulate: &str| -> io::Result<Value> {
        let ran = machine.pfupgrade(&["plan", plan, "--json", simulate])?.ended(0);
        Ok(comparable(ran.documents().remove(0)))
    };
    let real = previewed("")?;
    machine.pfupgrade(&["capture", r"C:\copy", "--plan", plan])?.ended(0).says("placeholders for secrets");
    let copied = previewed(r"--simulate=C:\copy")?;
    assert!(!real["steps"].as_array().is_none_or(Vec::is_empty), "nothing was compared");
    for (name, part) in real.as_object().into_iter().flatten() {
        let text = |part: &Value| serde_json::to_string_pretty(part).unwrap_or_default();
        let (real, copied) = (text(part), text(&copied[name]));
        let diff = similar::TextDiff::from_lines(&real, &copied);
        assert!(real == copied, "{name}:\n{}", diff.unified_diff().context_radius(3));
    }
    for file in machine.tree(r"C:\copy") {
        for secret in ["tell nobody", "Horse", "Blue"] {
            let found = file.content.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{} holds {secret}", file.path.display());
        }
    }
    let rehearsed = r"--simulate=C:\copy";
    machine.pfupgrade(&["run", plan, "--yes", rehearsed])?.ended(0);
    machine.pfupgrade(&["rollback", "--yes", rehearsed])?.ended(0).says("Rolled back");
    // The machine itself has not been touched.
    assert_eq!(previewed("")?, real);
    Ok(())
}

/// A preview without what is its own: the time, that it is a simulation, and what only that leaves out.
fn comparable(mut preview: Value) -> Value {
    let backup = preview["backup"].as_str().unwrap_or_default().to_owned();
    let id = backup.rsplit('\\').next().unwrap_or_default().to_owned();
    for own in ["simulated", "backup_free"] {
        preview[own] = Value::Null;
    }
    // Nobody responds to requests under Wine; the simulated machine has an IIS that does.
    if let Some(findings) = preview["findings"].as_array_mut() {
        findings.retain(|finding| finding["id"] != "no-answer");
    }
    for step in preview["steps"].as_array_mut().into_iter().flatten() {
        let notes = step["notes"].as_array_mut();
        notes.into_iter().for_each(|notes| {
            notes.retain(|note| !note.as_str().is_some_and(|note| note.starts_with("Not simulated in this rehearsal")));
        });
    }
    let text = preview.to_string().replace(&id, "<run>");
    serde_json::from_str(&text).unwrap_or(preview)
}
