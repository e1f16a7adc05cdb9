//! Small web.configs in the shape the products have, and ways to store them.

/// The portal of the agent 5.x as it is shipped.
pub(super) const SHIPPED: &str = r#"<?xml version="1.0"?>
<configuration>
  <configSections>
    <sectionGroup name="applicationSettings" type="System.Configuration.ApplicationSettingsGroup, System, Version=2.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089">
      <section name="pfup.Properties.Settings" type="System.Configuration.ClientSettingsSection, System, Version=2.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089" requirePermission="false" />
    </sectionGroup>
  </configSections>
  <appSettings>
    <add key="USE_WEB_SERVICE_SDK" value="false" />
    <add key="WEB_SERVICE_SDK_AUTHENTICATION_USERNAME" value="" />
    <add key="WEB_SERVICE_SDK_AUTHENTICATION_PASSWORD" value="" />
  </appSettings>
  <connectionStrings />
  <system.web>
    <!-- Set compilation debug="true" to insert debugging symbols. -->
    <compilation debug="false">
      <assemblies>
        <add assembly="System.Core, Version=3.5.0.0, Culture=neutral, PublicKeyToken=B77A5C561934E089" />
      </assemblies>
    </compilation>
    <authentication mode="Forms">
      <forms loginUrl="login.aspx" timeout="20" />
    </authentication>
    <authorization>
      <deny users="?" />
    </authorization>
    <pages theme="Default" />
    <customErrors mode="RemoteOnly" />
    <sessionState timeout="20" />
  </system.web>
  <applicationSettings>
    <pfup.Properties.Settings>
      <setting name="pfup_pfwssdk_PfWsSdk" serializeAs="String">
        <value>http://localhost:4898/PfWsSdk.asmx</value>
      </setting>
    </pfup.Properties.Settings>
  </applicationSettings>
</configuration>
"#;

/// [`SHIPPED`] after an administrator.
pub(super) fn edited() -> String {
    SHIPPED
        .replace(r#"SDK" value="false""#, r#"SDK" value="true""#)
        .replace(r#"USERNAME" value="""#, r#"USERNAME" value="CONTOSO\pfsvc""#)
        .replace(
            r#"PASSWORD" value="" />"#,
            "PASSWORD\" value='a&amp;b\"c&lt;&#9;é' />\n    <add key=\"SSL_REQUIRED\" value=\"false\" />",
        )
        .replace("http://localhost:4898/", "https://mfa.contoso.test/phonefactorwebservicesdk/")
        .replace(r#"theme="Default""#, r#"theme="Contoso""#)
        .replace("RemoteOnly", "Off")
        .replace(r#"sessionState timeout="20""#, r#"sessionState timeout="40""#)
        .replace(r#"compilation debug="false""#, r#"compilation debug="true""#)
}

/// The password that [`edited`] holds.
pub(super) const PASSWORD: &str = "a&b\"c<\té";

/// The portal of the new server.
pub(super) const NEW: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<configuration>
  <configSections>
    <sectionGroup name="applicationSettings" type="System.Configuration.ApplicationSettingsGroup, System, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089">
      <section name="pfup.Properties.Settings" type="System.Configuration.ClientSettingsSection, System, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089" requirePermission="false" />
    </sectionGroup>
  </configSections>
  <appSettings>
    <!-- Whether this portal talks to the server through the SDK. -->
    <add key="USE_WEB_SERVICE_SDK" value="false"/>
    <add key='WEB_SERVICE_SDK_AUTHENTICATION_USERNAME' value='' />
    <add key="WEB_SERVICE_SDK_AUTHENTICATION_PASSWORD" value=""/>
    <add key="NEW_IN_THIS_VERSION" value="yes"/>
  </appSettings>
  <connectionStrings />
  <system.web>
    <compilation debug="false" targetFramework="4.5.2" />
    <authentication mode="Forms">
      <forms loginUrl="login.aspx" timeout="20" requireSSL="true" />
    </authentication>
    <authorization>
      <deny users="?" />
    </authorization>
    <pages theme="Default" controlRenderingCompatibilityVersion="4.0" />
    <customErrors mode="RemoteOnly" />
    <sessionState timeout="20" />
  </system.web>
  <applicationSettings>
    <pfup.Properties.Settings>
      <setting name="pfup_pfwssdk_PfWsSdk" serializeAs="String">
        <value>https://www.contoso.com/MultiFactorAuthWebServiceSdk/PfWsSdk.asmx</value>
      </setting>
    </pfup.Properties.Settings>
  </applicationSettings>
</configuration>
"#;

/// How a file may be stored.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    Utf8,
    MarkedCrLf,
    Utf16Le,
    Utf16Be,
    Utf16WithoutMark,
    Windows1252,
    Latin1,
    Ascii,
    Mixed,
}

pub(super) const FORMS: [Form; 9] = [
    Form::Utf8,
    Form::MarkedCrLf,
    Form::Utf16Le,
    Form::Utf16Be,
    Form::Utf16WithoutMark,
    Form::Windows1252,
    Form::Latin1,
    Form::Ascii,
    Form::Mixed,
];

/// The bytes of `text`, which must not hold more than Latin letters, in a form.
pub(super) fn stored(text: &str, form: Form) -> Vec<u8> {
    let body = text.split_once("?>").map_or(text, |(_, body)| body);
    let declared = |label: &str| format!(r#"<?xml version="1.0" encoding="{label}"?>{body}"#).replace('\n', "\r\n");
    let units = |text: &str, mark: bool| -> Vec<u16> {
        mark.then_some(0xFEFF).into_iter().chain(text.encode_utf16().collect::<Vec<_>>()).collect()
    };
    let single = |text: String| -> Vec<u8> { text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect() };
    match form {
        Form::Utf8 => text.as_bytes().to_vec(),
        Form::MarkedCrLf => [&[0xEF, 0xBB, 0xBF], declared("utf-8").as_bytes()].concat(),
        Form::Utf16Le => units(&declared("utf-16"), true).into_iter().flat_map(u16::to_le_bytes).collect(),
        Form::Utf16Be => units(&declared("utf-16"), true).into_iter().flat_map(u16::to_be_bytes).collect(),
        Form::Utf16WithoutMark => {
            units(&text.replacen("utf-8", "utf-16", 1), false).into_iter().flat_map(u16::to_le_bytes).collect()
        }
        Form::Windows1252 => single(declared("windows-1252")),
        Form::Latin1 => single(declared("ISO-8859-1")),
        Form::Ascii => single(declared("us-ascii").replace('é', "&#233;")),
        Form::Mixed => {
            let ends = ["\n", "\r\n"].iter().cycle();
            text.split_inclusive('\n').zip(ends).map(|(line, end)| line.replace('\n', end)).collect::<String>().into()
        }
    }
}
