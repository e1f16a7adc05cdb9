using System;
using System.IO;
using System.Text;

namespace NetConfig
{
    /// <summary>A machine.config that declares the sections of .NET Framework. Only the types of appSettings and
    /// connectionStrings are here; every other section is read as XML.</summary>
    static class Machine
    {
        public const string Raw = "System.Configuration.DefaultSection" + Assembly;
        public const string Settings = "System.Configuration.ClientSettingsSection" + Assembly;
        const string Ignored = "System.Configuration.IgnoreSection" + Assembly;
        const string Assembly = ", System.Configuration.ConfigurationManager";

        static readonly StringBuilder text = new StringBuilder();

        public static string Write(string path)
        {
            text.Append("<configuration><configSections>");
            Section("appSettings", "System.Configuration.AppSettingsSection" + Assembly, "requirePermission=\"false\"");
            Section("connectionStrings", "System.Configuration.ConnectionStringsSection" + Assembly,
                "requirePermission=\"false\"");
            foreach (string name in Words("mscorlib runtime assemblyBinding satelliteassemblies startup"))
                Section(name, Ignored, "allowLocation=\"false\"");
            foreach (string name in Words("system.runtime.remoting windows strongNames system.webServer"))
                Section(name, Ignored, "");
            Sections(@"system.codedom system.data system.data.dataset system.data.odbc system.data.oledb
                system.data.oracleclient system.data.sqlclient system.diagnostics system.windows.forms uri
                system.xaml.hosting");
            Group("system.runtime.caching", "memoryCache");
            Group("system.runtime.serialization", "dataContractSerializer");
            Group("system.transactions", "defaultSettings machineSettings");
            Group("system.xml.serialization", "schemaImporterExtensions dateTimeSerialization xmlSerializer");
            Group("system.net", "authenticationModules connectionManagement defaultProxy requestCaching settings "
                + "webRequestModules", () => Group("mailSettings", "smtp"));
            Group("system.serviceModel", @"behaviors bindings client comContracts commonBehaviors diagnostics extensions
                machineSettings protocolMapping serviceHostingEnvironment services standardEndpoints routing tracking");
            Group("system.serviceModel.activation", "diagnostics net.pipe net.tcp");
            Group("system.web", @"anonymousIdentification authentication authorization browserCaps clientTarget
                compilation customErrors deployment deviceFilters fullTrustAssemblies globalization healthMonitoring
                hostingEnvironment httpCookies httpHandlers httpModules httpRuntime identity machineKey membership
                mobileControls pages partialTrustVisibleAssemblies processModel profile protocols roleManager
                securityPolicy sessionPageState sessionState siteMap trace trust urlMappings webControls webParts
                webServices xhtmlConformance",
                () => Group("caching", "cache outputCache outputCacheSettings sqlCacheDependency"));
            Group("system.web.extensions", "", () => Group("scripting", "scriptResourceHandler", () =>
                Group("webServices", "jsonSerialization profileService authenticationService roleService")));
            text.Append("</configSections></configuration>");
            File.WriteAllText(path, text.ToString());
            return path;
        }

        static string[] Words(string text) =>
            text.Split((char[]) null, StringSplitOptions.RemoveEmptyEntries);

        static void Sections(string names)
        {
            foreach (string name in Words(names)) Section(name, Raw, "");
        }

        static void Section(string name, string type, string more) =>
            text.Append($"<section name=\"{name}\" type=\"{type}\" {more}/>");

        static void Group(string name, string sections, Action groups = null)
        {
            text.Append($"<sectionGroup name=\"{name}\">");
            Sections(sections);
            groups?.Invoke();
            text.Append("</sectionGroup>");
        }
    }
}
