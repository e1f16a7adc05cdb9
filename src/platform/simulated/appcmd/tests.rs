use super::*;
use std::collections::BTreeMap;

const SAMPLE: &str = include_str!("../applicationHost.config");
const ACCESS: &str = "/section:system.webServer/security/access";
const BASIC: &str = "/section:system.webServer/security/authentication/basicAuthentication";
const APPHOST: &str = "/commit:apphost";
const PF: &str = "Default Web Site/PhoneFactor";

/// A server with the sample's sections, two sites and the web.config files of some folders.
struct Server {
    config: String,
    files: BTreeMap<String, &'static str>,
    backups: Vec<String>,
}

impl Files for Server {
    fn web_config(&self, folder: &str) -> Result<Option<(String, String)>, String> {
        let path = format!(r"{folder}\web.config");
        Ok(self.files.get(folder).map(|text| (path, (*text).to_owned())))
    }

    fn has(&self, path: &str) -> bool {
        self.backups.iter().any(|known| known == path)
    }
}

impl Server {
    fn new() -> Self {
        let sites = "<sites>
            <site name=\"Default Web Site\" id=\"1\">
                <application path=\"/PhoneFactor\" applicationPool=\"PhoneFactor\">
                    <virtualDirectory path=\"/pictures\" physicalPath=\"D:\\Pictures\" />
                    <virtualDirectory path=\"/\" physicalPath=\"C:\\www\\pf\" />
                </application>
                <application path=\"/\"><virtualDirectory path=\"/\" physicalPath=\"C:\\www\" /></application>
                <bindings><binding protocol=\"http\" bindingInformation=\"*:80:\" /></bindings>
            </site>
            <site name=\"Other\" id=\"2\"><application path=\"/\" applicationPool=\"P\">
                <virtualDirectory path=\"/\" physicalPath=\"D:\\other\" /></application></site>";
        let pools = "<applicationPools><add name=\"PhoneFactor\" managedRuntimeVersion=\"v4.0\" /><add name=\"P\" managedPipelineMode=\"Classic\" />";
        let config = SAMPLE.replace("<sites>", sites).replace("<applicationPools>", pools);
        Self { config, files: BTreeMap::new(), backups: Vec::new() }
    }

    fn run(&mut self, arguments: &[&str]) -> Answer {
        let answer = run(&self.config, arguments, self);
        match &answer.write {
            Some((path, text)) if path == CONFIG => self.config.clone_from(text),
            Some((path, _)) => self.backups.push(path.clone()),
            None => {}
        }
        answer
    }

    #[track_caller]
    fn done(&mut self, arguments: &[&str]) -> String {
        let answer = self.run(arguments);
        assert_eq!(answer.code, 0, "{arguments:?}: {}", answer.output);
        answer.output
    }

    #[track_caller]
    fn refused(&mut self, arguments: &[&str], code: i32, why: &str) {
        let before = self.config.clone();
        let answer = self.run(arguments);
        assert_eq!(answer.code, code, "{arguments:?}: {}", answer.output);
        assert!(answer.output.contains(why), "{arguments:?}: {}", answer.output);
        assert!(
            answer.output.starts_with("ERROR ( message:") || answer.output.contains("<ERROR hresult="),
            "{}",
            answer.output
        );
        assert!(answer.write.is_none() && self.config == before);
    }
}

#[test]
fn objects_are_listed_with_what_they_inherit() {
    let mut server = Server::new();
    let sites = server.done(&["list", "site", "/config:*", "/xml"]);
    for part in [
        r#"<SITE SITE.NAME="Default Web Site" SITE.ID="1" bindings="http/*:80:" state="Started">"#,
        r#"<application path="/" applicationPool="DefaultAppPool">"#,
        r#"<virtualDirectory path="/pictures" physicalPath="D:\Pictures" />"#,
    ] {
        assert!(sites.contains(part), "{part} in {sites}");
    }
    let all = server.done(&["list", "app"]);
    assert!(all.contains("APP \"Default Web Site/PhoneFactor\" (applicationPool:PhoneFactor)\r\n"), "{all}");
    let one = server.done(&["list", "app", "default web site/phonefactor", "/xml"]);
    assert!(one.contains(r#"APP.NAME="Default Web Site/PhoneFactor" APPPOOL.NAME="PhoneFactor""#), "{one}");
    assert_eq!(server.done(&["list", "app", "/site.name:Other"]), "APP \"Other/\" (applicationPool:P)\r\n");
    let all = server.done(&["list", "vdir"]);
    assert!(all.contains("VDIR \"Default Web Site/PhoneFactor/pictures\" (physicalPath:D:\\Pictures)"), "{all}");
    let pools = server.done(&["list", "apppool", "/config:*", "/xml"]);
    assert!(pools.contains(r#"<APPPOOL APPPOOL.NAME="P" PipelineMode="Classic" RuntimeVersion="" state="Started">"#));
    let none = run(SAMPLE, &["list", "site", "/xml"], &server);
    assert_eq!((none.code, none.output.contains("<appcmd>")), (1, true), "{}", none.output);
}

#[test]
fn what_appcmd_does_not_know_is_an_error() {
    let mut server = Server::new();
    server.refused(&["list", "site", "Nobody"], 1168, "Cannot find SITE object with identifier \"Nobody\".");
    server.refused(&["set", "app", "Default Web Site/x", "/path:/y"], 1168, "Cannot find APP object");
    server.refused(&["list", "config", "Nobody/x", ACCESS, "/xml"], 1168, "Unrecognized configuration path");
    server.refused(&["list", "config", PF, "/section:system.webServer/nothing"], 87, "Unknown config section");
    server.refused(&["explode", "app", PF], 87, "Command 'EXPLODE' is not supported on object 'APP'.");
    server.refused(&["list", "cookie"], 87, "Object 'COOKIE' is not supported.");
    server.refused(&["set", "app"], 87, "Must specify the APP object");
    server.refused(&["set", "app", PF, "/colour:red"], 87, "Unknown attribute \"colour\"");
    server.refused(&["set", "app", PF, "and more"], 87, "must begin with a / or -");
    server.refused(&["set", "config", PF, ACCESS, "/sslFlags:Sll", APPHOST], 13, "is not valid");
    server.refused(&["clear", "config", PF, APPHOST], 87, "Missing required parameter section");
    server.config = "<configuration>".to_owned();
    server.refused(&["list", "site", "/xml"], 13, "not well-formed");
}

#[test]
fn an_application_is_renamed_and_its_location_stays_behind() {
    let mut server = Server::new();
    server.done(&["set", "config", PF, ACCESS, "/sslFlags:ssl", APPHOST]);
    server.done(&["set", "app", PF, "/path:/MultiFactorAuth"]);
    let apps = server.done(&["list", "app"]);
    assert!(apps.contains("Site/MultiFactorAuth\"") && !apps.contains("Site/PhoneFactor\""), "{apps}");
    // Only the path changes: pool and virtual directories are the object's own.
    assert!(server.done(&["list", "vdir"]).contains("Site/MultiFactorAuth/pictures\" (physicalPath:D:\\Pictures)"));
    let of = |server: &mut Server, path: &str| server.done(&["list", "config", path, ACCESS, "/xml"]);
    assert!(of(&mut server, PF).contains("sslFlags=\"Ssl\""));
    assert!(of(&mut server, "Default Web Site/MultiFactorAuth").contains("sslFlags=\"None\""));
    server.done(&["clear", "config", PF, ACCESS, APPHOST]);
    assert!(of(&mut server, PF).contains("sslFlags=\"None\""));
    assert!(!server.config.contains("path=\"Default Web Site/PhoneFactor\""));
    server.done(&["clear", "config", PF, ACCESS, APPHOST]);
    server.refused(&["set", "app", "Default Web Site/MultiFactorAuth", "/path:/"], 183, "duplicate");
    for bad in ["x", "/x/", "/a*b", "/a/../b"] {
        server.refused(&["set", "app", "Default Web Site/MultiFactorAuth", &format!("/path:{bad}")], 87, "not valid");
    }
}

#[test]
fn only_what_is_named_changes() {
    let mut server = Server::new();
    server.done(&["set", "app", PF, "/applicationPool:P"]);
    server.done(&["set", "vdir", "Default Web Site/PhoneFactor/", "/physicalPath:E:\\pf"]);
    let sites = server.done(&["list", "site", "/config:*", "/xml"]);
    assert!(sites.contains(r#"<application path="/PhoneFactor" applicationPool="P">"#), "{sites}");
    assert!(sites.contains(r#"path="/" physicalPath="E:\pf""#) && sites.contains(r"D:\Pictures"), "{sites}");
    server.done(&["add", "app", "/site.name:Other", "/path:/new", "/physicalPath:D:\\new", "/applicationPool:P"]);
    server.done(&["add", "vdir", "/app.name:Other/new", "/path:/logs", "/physicalPath:D:\\logs"]);
    let all = server.done(&["list", "vdir"]);
    assert!(all.contains("\"Other/new/\" (physicalPath:D:\\new)") && all.contains("\"Other/new/logs\""), "{all}");
    server.refused(&["add", "app", "/site.name:Other", "/path:/NEW", "/physicalPath:D:\\x"], 183, "duplicate");
    server.done(&["delete", "vdir", "Other/new/logs"]);
    server.done(&["delete", "app", "Other/new"]);
    assert_eq!(server.done(&["list", "app", "/site.name:Other"]).lines().count(), 1);
}

#[test]
fn one_location_has_all_the_sections_of_a_path() {
    let mut server = Server::new();
    server.done(&["set", "config", PF, ACCESS, "/sslFlags:SslNegotiateCert,Ssl", APPHOST]);
    server.done(&["set", "config", PF, BASIC, "/enabled:True", APPHOST]);
    server.done(&["set", "config", PF, BASIC, "/realm:a & \"b\"", APPHOST]);
    let expected = r#"<location path="Default Web Site/PhoneFactor">
        <system.webServer>
            <security>
                <access sslFlags="Ssl, SslNegotiateCert" />
                <authentication>
                    <basicAuthentication enabled="true" realm="a &amp; &quot;b&quot;" />
                </authentication>
            </security>
        </system.webServer>
    </location>"#;
    assert!(server.config.replace("\r\n", "\n").contains(expected), "{}", server.config);
    // What is below inherits it, and so does a folder that no application has.
    let below = server.done(&["list", "config", "Default Web Site/PhoneFactor/pictures", BASIC, "/xml"]);
    assert!(below.contains("enabled=\"true\"") && below.contains("defaultLogonDomain=\"\""), "{below}");
    server.done(&["clear", "config", PF, ACCESS, APPHOST]);
    assert!(server.config.contains("basicAuthentication enabled") && !server.config.contains("sslFlags"));
}

#[test]
fn a_locked_section_is_set_in_the_file_of_the_server_only() {
    let mut server = Server::new();
    server.refused(&["set", "config", PF, ACCESS, "/sslFlags:Ssl"], 33, "cannot be used at this path");
    // Some can be only at an application, some only at the server.
    let modules = "/section:system.webServer/modules";
    server.refused(&["clear", "config", "Other/x", modules, APPHOST], 33, "cannot be used at this path");
    server.done(&["clear", "config", "Other/", modules, APPHOST]);
    let fast = "/section:system.webServer/fastCgi";
    server.refused(&["clear", "config", PF, fast, APPHOST], 33, "cannot be used at this path");
}

#[test]
fn a_broken_web_config_breaks_its_own_locations_only() {
    let in_server = |text: &str| format!("<configuration><system.webServer>{text}</system.webServer></configuration>");
    let locked = in_server("<security><access sslFlags=\"None\" /></security>");
    let module = in_server("<modules><remove name=\"StaticFileModule\" /></modules>");
    let errors = in_server("<httpErrors defaultPath=\"/x\" />");
    let missing = in_server("<notInstalled />");
    let again = "<configuration><configSections><sectionGroup name=\"system.webServer\"><section name=\"modules\" />\
         </sectionGroup></configSections></configuration>";
    for (text, code, why) in [
        ("<configuration>", 13, "not well-formed"),
        (&*locked, 33, "cannot be used at this path"),
        (&*module, 33, "Lock violation"),
        (&*errors, 33, "Lock violation"),
        (&*missing, 13, "missing a section declaration"),
        (again, 183, "duplicate"),
    ] {
        let mut server = Server::new();
        let text: &'static str = Box::leak(text.to_owned().into_boxed_str());
        server.files.insert(r"C:\www\pf".to_owned(), text);
        for xml in [&["/xml"][..], &[]] {
            server.refused(&[&["list", "config", PF, ACCESS], xml].concat(), code, why);
        }
        server.refused(&["list", "config", PF, ACCESS], code, r"Filename: \\?\C:\www\pf\web.config");
        server.refused(&["set", "config", PF, ACCESS, "/sslFlags:Ssl", APPHOST], code, why);
        server.refused(&["list", "config", "Default Web Site/PhoneFactor/below", ACCESS], code, why);
        server.done(&["list", "config", "Default Web Site/other", ACCESS]);
        server.done(&["list", "site", "/config:*", "/xml"]);
        server.done(&["set", "app", PF, "/path:/Pf"]);
    }
}

#[test]
fn what_is_open_and_what_is_not_of_iis_may_be_in_a_web_config() {
    let mut server = Server::new();
    let text = "<configuration><appSettings><add key=\"a\" value=\"b\" /></appSettings><system.web><anything /></system.web>\
        <system.webServer><httpErrors errorMode=\"Detailed\" /><defaultDocument enabled=\"false\" />\
        <handlers><add name=\"x\" path=\"*.x\" verb=\"*\" /></handlers></system.webServer>\
        <location path=\"images\"><system.webServer><caching enabled=\"false\" /></system.webServer></location></configuration>";
    server.files.insert(r"C:\www\pf".to_owned(), text);
    let of = |server: &mut Server, path: &str, section: &str| {
        server.done(&["list", "config", path, &format!("/section:system.webServer/{section}"), "/xml"])
    };
    assert!(of(&mut server, PF, "defaultDocument").contains("enabled=\"false\""));
    assert!(!of(&mut server, PF, "caching").contains("enabled="));
    assert!(of(&mut server, "Default Web Site/PhoneFactor/images", "caching").contains("enabled=\"false\""));
    assert!(of(&mut server, PF, "handlers").contains("name=\"x\""));
    // A lock of the administrator, and one that is taken away.
    let web = |text: &str| format!("<system.webServer>{text}</system.webServer></location></configuration>");
    let lock = format!("<location path=\"Default Web Site\" overrideMode=\"Deny\">{}", web("<defaultDocument />"));
    server.config = server.config.replace("</configuration>", &lock);
    server.refused(&["list", "config", PF, ACCESS], 33, "cannot be used at this path");
    let open = format!(
        "<location path=\"Default Web Site/PhoneFactor\" overrideMode=\"Allow\">{}",
        web("<defaultDocument />")
    );
    server.config = server.config.replace("</configuration>", &open);
    server.done(&["list", "config", PF, ACCESS]);
}

#[test]
fn a_backup_is_a_copy_and_is_not_overwritten() {
    let mut server = Server::new();
    let answer = server.run(&["add", "backup", "before"]);
    assert_eq!(answer.write, Some((r"backup\before\applicationHost.config".to_owned(), server.config.clone())));
    server.refused(&["add", "backup", "before"], 183, "already exists");
}
