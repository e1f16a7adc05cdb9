//! What the merge carries and what it tells.

use super::{samples::*, *};

fn line_changes(before: &str, after: &str) -> Vec<String> {
    let diff = similar::TextDiff::from_lines(before, after);
    let changed = diff.iter_all_changes().filter(|change| change.tag() != similar::ChangeTag::Equal);
    changed.map(|change| format!("{}{}", change.tag(), change.value().trim_end())).collect()
}

#[test]
fn an_administrators_values_go_into_the_new_file_and_nothing_else_changes() {
    let (result, changes) = merged(&edited(), Some(SHIPPED), NEW, &renaming());
    assert_eq!(
        line_changes(NEW, &result),
        [
            r#"-    <add key="USE_WEB_SERVICE_SDK" value="false"/>"#,
            r#"-    <add key='WEB_SERVICE_SDK_AUTHENTICATION_USERNAME' value='' />"#,
            r#"-    <add key="WEB_SERVICE_SDK_AUTHENTICATION_PASSWORD" value=""/>"#,
            r#"+    <add key="USE_WEB_SERVICE_SDK" value="true"/>"#,
            r#"+    <add key='WEB_SERVICE_SDK_AUTHENTICATION_USERNAME' value='CONTOSO\pfsvc' />"#,
            r#"+    <add key="WEB_SERVICE_SDK_AUTHENTICATION_PASSWORD" value="a&amp;b&quot;c&lt;&#x9;é"/>"#,
            r#"+    <add key="SSL_REQUIRED" value="false"/>"#,
            r#"-    <pages theme="Default" controlRenderingCompatibilityVersion="4.0" />"#,
            r#"-    <customErrors mode="RemoteOnly" />"#,
            r#"-    <sessionState timeout="20" />"#,
            r#"+    <pages theme="Contoso" controlRenderingCompatibilityVersion="4.0" />"#,
            r#"+    <customErrors mode="Off" />"#,
            r#"+    <sessionState timeout="40" />"#,
            r#"-        <value>https://www.contoso.com/MultiFactorAuthWebServiceSdk/PfWsSdk.asmx</value>"#,
            r#"+        <value>https://mfa.contoso.test/MultiFactorAuthWebServiceSdk/PfWsSdk.asmx</value>"#,
        ]
    );
    assert_eq!(fate(&changes, "appSettings/SSL_REQUIRED"), &Fate::Added);
    assert_eq!(fate(&changes, "appSettings/WEB_SERVICE_SDK_AUTHENTICATION_PASSWORD"), &Fate::Carried);
    let sdk = "applicationSettings/pfup.Properties.Settings/pfup_pfwssdk_PfWsSdk";
    assert!(matches!(fate(&changes, sdk), Fate::Rewritten { .. }));
    assert!(matches!(fate(&changes, "system.web/compilation/@debug"), Fate::Reported { .. }));
    assert_eq!(changes.len(), 9, "{changes:#?}");
}
