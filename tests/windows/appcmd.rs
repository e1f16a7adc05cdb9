//! A stand-in for IIS's `appcmd.exe`, for tests under Wine, which has no IIS: a shell around the one of the simulated
//! machine, which keeps its `applicationHost.config` beside itself.
//!
//! One verb is its own: `websetup` does what the custom action of a web setup package does through the metabase.

use pfupgrade::platform::simulated::appcmd::{self, CONFIG, Files, host};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The folder of IIS.
struct Inetsrv(PathBuf);

impl Files for Inetsrv {
    fn web_config(&self, folder: &str) -> Result<Option<(String, String)>, String> {
        let file = format!(r"{}\web.config", expand(folder));
        match fs::read_to_string(&file) {
            Ok(text) => Ok(Some((file, text))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    fn has(&self, path: &str) -> bool {
        self.0.join(path).exists()
    }
}

fn expand(text: &str) -> String {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    while let (Some(name), Some(rest)) = (parts.next(), parts.next()) {
        out += &env::var(name).unwrap_or_default();
        out += rest;
    }
    out
}

impl Inetsrv {
    fn read(&self) -> Result<String, String> {
        fs::read_to_string(self.0.join(CONFIG)).map_err(|error| format!("Configuration error ({error})"))
    }

    fn write(&self, path: &str, text: &str) -> Result<(), String> {
        let file = self.0.join(path);
        let new = file.with_extension("new");
        let folder = file.parent().map_or(Ok(()), fs::create_dir_all);
        let written = folder.and_then(|()| fs::write(&new, text)).and_then(|()| fs::rename(&new, &file));
        written.map_err(|error| error.to_string())
    }

    /// `websetup add CODE /LM/W3SVC/1 NAME FOLDER POOL` and `websetup remove CODE`: what was added is remembered by the
    /// product's code, since a package does not know at its uninstall where it was installed to.
    fn web_setup(&self, arguments: &[&str]) -> Result<(), String> {
        let of = |code: &str| format!("websetup-{code}.txt");
        match arguments {
            ["add", code, site, name, folder, pool] => {
                let number = site.rsplit('/').next().unwrap_or_default();
                let id = number.parse().map_err(|_| format!("no site {site}"))?;
                let (path, folder) = (format!("/{name}"), folder.trim_end_matches(['\\', '.']));
                self.write(CONFIG, &host::create(&self.read()?, id, &path, folder, pool)?)?;
                self.write(&of(code), &format!("{id}\n{path}"))
            }
            ["remove", code] => {
                let Ok(known) = fs::read_to_string(self.0.join(of(code))) else { return Ok(()) };
                let (id, path) = known.split_once('\n').unwrap_or_default();
                let id = id.parse().map_err(|_| format!("{} is damaged", of(code)))?;
                self.write(CONFIG, &host::remove(&self.read()?, id, path)?)
            }
            _ => Err(format!("websetup {arguments:?}")),
        }
    }
}

fn run(arguments: &[&str]) -> Result<i32, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let inetsrv = Inetsrv(program.parent().map_or_else(PathBuf::new, Path::to_owned));
    if let Some(("websetup", rest)) = arguments.split_first().map(|(verb, rest)| (*verb, rest)) {
        return inetsrv.web_setup(rest).map(|()| 0);
    }
    let answer = appcmd::run(&inetsrv.read()?, arguments, &inetsrv);
    if let Some((path, text)) = &answer.write {
        inetsrv.write(path, text)?;
    }
    print!("{}", answer.output);
    Ok(answer.code)
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let code = run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).unwrap_or_else(|fault| {
        println!("ERROR ( message:{fault} )");
        1
    });
    std::process::exit(code);
}
