use super::*;

const SITES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<appcmd>
    <SITE SITE.NAME="Default Web Site" SITE.ID="1" bindings="http/*:80:,https/*:443:mfa.example.com" state="Started">
        <site name="Default Web Site" id="1" serverAutoStart="true">
            <bindings>
                <binding protocol="http" bindingInformation="*:80:" sslFlags="0" />
                <binding protocol="https" bindingInformation="*:443:mfa.example.com" sslFlags="0" />
            </bindings>
            <limits maxBandwidth="4294967295" />
            <application path="/" applicationPool="DefaultAppPool" enabledProtocols="http">
                <virtualDirectory path="/" physicalPath="%SystemDrive%\inetpub\wwwroot" userName="" password="" />
            </application>
            <application path="/PhoneFactor" applicationPool="PhoneFactor">
                <virtualDirectory path="/pictures" physicalPath="D:\Pictures" />
                <virtualDirectory path="/" physicalPath="C:\inetpub\wwwroot\PhoneFactor" />
            </application>
            <application path="/shared">
                <virtualDirectory path="/" physicalPath="\\server\share" />
            </application>
        </site>
    </SITE>
    <SITE SITE.NAME="Remote" SITE.ID="2" bindings="http/*:81:" state="Stopped">
        <site name="Remote" id="2">
            <application path="/"><virtualDirectory path="/" physicalPath="\\server\www" /></application>
        </site>
    </SITE>
</appcmd>
"#;

fn expand(text: &str) -> String {
    text.replace("%SystemDrive%", "C:").replace("%windir%", r"C:\Windows")
}

#[test]
fn sites_have_their_applications_and_folders() {
    let sites = sites(SITES, &expand).expect("sites");
    assert_eq!(sites.len(), 1, "one is on a share");
    let site = &sites[0];
    assert_eq!((site.id, site.name.as_str(), site.folder.as_str()), (1, "Default Web Site", r"C:\inetpub\wwwroot"));
    assert_eq!(site.bindings, ["http/*:80:", "https/*:443:mfa.example.com"]);
    let applications: Vec<_> = site
        .applications
        .iter()
        .map(|found| (found.path.as_str(), found.folder.as_str(), found.pool.as_str()))
        .collect();
    assert_eq!(applications, [("/PhoneFactor", r"C:\inetpub\wwwroot\PhoneFactor", "PhoneFactor")]);
}

#[test]
fn pools_say_who_they_are() {
    let xml = r#"<?xml version="1.0" encoding="UTF-8"?>
<appcmd>
    <APPPOOL APPPOOL.NAME="PhoneFactor" PipelineMode="Integrated" RuntimeVersion="v4.0" state="Started">
        <add name="PhoneFactor" queueLength="1000" enable32BitAppOnWin64="true" managedRuntimeVersion="v4.0">
            <processModel identityType="SpecificUser" userName="FABRIKAM\svc" password="secret" />
        </add>
    </APPPOOL>
    <APPPOOL APPPOOL.NAME="DefaultAppPool" PipelineMode="Classic" RuntimeVersion="" state="Started">
        <add name="DefaultAppPool"><processModel identityType="ApplicationPoolIdentity" userName="" /></add>
    </APPPOOL>
</appcmd>"#;
    let pools = pools(xml).expect("pools");
    assert_eq!((pools[0].identity.as_str(), pools[0].enable_32bit, pools[0].fits()), (r"FABRIKAM\svc", true, true));
    assert_eq!((pools[1].identity.as_str(), pools[1].clr.as_str()), ("ApplicationPoolIdentity", ""));
    assert!(!format!("{pools:?}").contains("secret"));
}

#[test]
fn modules_have_their_files() {
    let xml = r#"<appcmd><CONFIG CONFIG.SECTION="system.webServer/globalModules" path="MACHINE/WEBROOT/APPHOST">
        <system.webServer-globalModules>
            <add name="UriCacheModule" image="%windir%\System32\inetsrv\cachuri.dll" />
            <add name="Filter" image="C:\Program Files\PhoneFactor\filter.dll" preCondition="bitness64" />
        </system.webServer-globalModules></CONFIG></appcmd>"#;
    let modules = modules(xml, &expand).expect("modules");
    assert_eq!(modules["Filter"].as_str(), r"C:\Program Files\PhoneFactor\filter.dll");
    assert_eq!(modules["UriCacheModule"].as_str(), r"C:\Windows\System32\inetsrv\cachuri.dll");
}

#[test]
fn only_the_attributes_that_count_are_taken_of_a_section() {
    let section = "system.webServer/security/authentication/anonymousAuthentication";
    let xml = r#"<appcmd><CONFIG CONFIG.SECTION="system.webServer/security/authentication/anonymousAuthentication"
        path="MACHINE/WEBROOT/APPHOST" overrideMode="Inherit" locked="false">
        <system.webServer-security-authentication-anonymousAuthentication enabled="false" userName="IUSR" password="p" />
        </CONFIG></appcmd>"#;
    let found = settings(xml, section, &["enabled", "other"]).expect("settings");
    assert_eq!(found, BTreeMap::from([(format!("{section}/@enabled"), "false".to_owned())]));
}

#[test]
fn errors_are_told() {
    let error = |xml: &str| sites(xml, &expand).expect_err("an error");
    assert!(error("ERROR ( message:Configuration error )\r\n").contains("Configuration error"));
    assert!(error(r#"<appcmd><ERROR hresult="1" message="Cannot read it" /></appcmd>"#).contains("Cannot read it"));
    assert!(error("").contains("nothing"));
    let lines = "ERROR ( message:Configuration error\r\nFilename: \\\\?\\C:\\a\\web.config\r\nLine Number: 5\r\nDescription: locked\r\n. )";
    let all = r"Configuration error; Filename: \\?\C:\a\web.config; Line Number: 5; Description: locked";
    assert!(error(lines).contains(all), "{}", error(lines));
    assert!(error("<other/>").contains("unexpected output"));
    assert!(error(r#"<appcmd><SITE SITE.NAME="x" /></appcmd>"#).contains("incomplete data"));
    assert_eq!(sites("<appcmd></appcmd>", &expand).expect("none"), []);
}

#[test]
fn only_what_differs_is_changed() {
    let ssl = "system.webServer/security/access/@sslFlags".to_owned();
    let basic = "system.webServer/security/authentication/basicAuthentication/@enabled".to_owned();
    let realm = "system.webServer/security/authentication/basicAuthentication/@realm".to_owned();
    let found = Application {
        path: "/New".to_owned(),
        folder: WinPath::new(r"C:\x").expect("a path"),
        pool: "Old Pool".to_owned(),
        settings: BTreeMap::from([(ssl.clone(), "None".to_owned()), (basic.clone(), "false".to_owned())]),
    };
    assert_eq!(changes("Site", &found, &found), Vec::<Vec<String>>::new());
    let moved = Application { folder: WinPath::new(r"D:\y").expect("a path"), ..found.clone() };
    assert_eq!(changes("Site", &found, &moved), [["set", "vdir", "Site/New/", r"/physicalPath:D:\y"]]);
    let wanted = Application {
        pool: "New Pool".to_owned(),
        settings: BTreeMap::from([(ssl, "None".to_owned()), (basic, "true".to_owned()), (realm, String::new())]),
        ..found.clone()
    };
    let expected = [
        vec!["set", "app", "Site/New", "/applicationPool:New Pool"],
        vec![
            "set",
            "config",
            "Site/New",
            "/section:system.webServer/security/authentication/basicAuthentication",
            "/enabled:true",
            "/realm:",
            "/commit:apphost",
        ],
    ];
    assert_eq!(changes("Site", &found, &wanted), expected);
}

#[test]
fn an_application_is_renamed_and_its_old_location_cleared() {
    let expected = ["set", "app", "Default Web Site/Pf", "/path:/MultiFactorAuth"];
    assert_eq!(rename("Default Web Site", "/Pf", "/MultiFactorAuth"), expected);
    let settings = [("system.webServer/security/access/@sslFlags", "Ssl"), ("a/b/@c", "1"), ("a/b/@d", "2")];
    let all = clear("Default Web Site", "/Pf", &settings.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    assert_eq!(all.len(), 2, "{all:?}");
    let access = "/section:system.webServer/security/access";
    assert_eq!(all[1], ["clear", "config", "Default Web Site/Pf", access, "/commit:apphost"]);
}
