//! IIS as it is on real servers: applications of others that do not work, and settings that IIS does not accept.

use crate::support::*;
use pfupgrade::engine::End;
use pfupgrade::platform::Inspect;

const LONG: std::time::Duration = std::time::Duration::from_secs(10);

const HOST: &str = r"C:\Windows\System32\inetsrv\config\applicationHost.config";
const SHOP: &str = r"D:\Shop\web.config";

/// The demo machine with an application of somebody else, whose web.config IIS does not accept.
fn with_broken_shop(web_config: &str) -> pfupgrade::platform::disk::MemoryDisk {
    let disk = one_server();
    let host = get(&disk, HOST).unwrap();
    let shop = "<application path=\"/shop\" applicationPool=\"DefaultAppPool\">\
        <virtualDirectory path=\"/\" physicalPath=\"D:\\Shop\" /></application>\r\n            <bindings>";
    put(&disk, HOST, host.replacen("<bindings>", shop, 1));
    put(&disk, SHOP, web_config);
    disk.sync_all();
    disk
}

/// Such a file once stopped every command, since the settings of all applications were asked for.
#[test]
fn a_broken_application_of_somebody_else_stops_nothing() {
    let locked = "<configuration><system.webServer><security><access sslFlags=\"None\" /></security></system.webServer>\
        </configuration>";
    for broken in ["<configuration>", locked] {
        let disk = with_broken_shop(broken);
        let start = without_what_stays(whole(&disk));
        assert!(boot(&disk).application("Default Web Site", "/shop").is_err());
        assert_eq!(boot(&disk).request("https://MFA01/shop/", LONG).unwrap().status, 500);
        let plan = plan("one-server");
        assert_eq!(refusals(&disk, &plan), [""; 0]);
        assert!(matches!(run(&disk, &plan), Ok(End::Done { .. })));
        assert!(matches!(rollback(&disk), Some(Ok(End::RolledBack))));
        assert_same(&start, &without_what_stays(whole(&disk)), "rolled back");
        assert_eq!(get(&disk, SHOP).unwrap(), broken);
    }
}

/// Users of the old portal see 500.19 already, and its settings in IIS cannot be read, so they cannot be migrated.
#[test]
fn an_own_web_config_that_iis_does_not_accept_blocks_the_run() {
    let disk = one_server();
    let file = r"C:\inetpub\wwwroot\PhoneFactor\web.config";
    let sound = get(&disk, file).unwrap();
    let locked =
        "<system.webServer><security><access sslFlags=\"None\" /></security></system.webServer></configuration>";
    put(&disk, file, sound.replace("</configuration>", locked));
    let found = finding(&disk, &plan("one-server"), "unreadable-web-config");
    assert!(found.refuses() && found.title.contains("Default Web Site/PhoneFactor"), "{found:?}");
    let evidence = found.evidence.join(" ");
    assert!(evidence.contains("Line Number") && evidence.contains("cannot be used at this path"), "{evidence}");
    // Where the administrator has unlocked the section, it is in order.
    let host = get(&disk, HOST).unwrap();
    let open = "<location path=\"Default Web Site\" overrideMode=\"Allow\"><system.webServer><security><access />\
        </security></system.webServer></location></configuration>";
    put(&disk, HOST, host.replace("</configuration>", open));
    assert_eq!(refusals(&disk, &plan("one-server")), [""; 0]);
}
