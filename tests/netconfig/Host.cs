using System;
using System.Configuration;
using System.Configuration.Internal;
using System.IO;
using System.Reflection;
using System.Runtime.ExceptionServices;

namespace NetConfig
{
    /// <summary>Tells the reader where the files of a web application lie. The reader's own host is for programs, whose
    /// configuration has no locations; System.Web has one like this.</summary>
    class Host : DelegatingConfigHost
    {
        const string MachinePath = "MACHINE";
        const string ApplicationPath = "MACHINE/APP";

        string machine, file;

        public Host()
        {
            var type = typeof(ConfigurationManager).Assembly.GetType(
                "System.Configuration.Internal.InternalConfigHost", true);
            Host = (IInternalConfigHost) Activator.CreateInstance(type, true);
        }

        /// <summary>Opens a web.config below a machine.config, as it holds for a location in it; null is the
        /// application itself.</summary>
        public static Configuration Open(string machine, string file, string location)
        {
            var constructor = typeof(Configuration).GetConstructors(BindingFlags.NonPublic | BindingFlags.Instance)[0];
            var arguments = new object[] { location, typeof(Host), new object[] { machine, file, location } };
            try
            {
                return (Configuration) constructor.Invoke(arguments);
            }
            catch (TargetInvocationException error)
            {
                ExceptionDispatchInfo.Capture(error.InnerException).Throw();
                throw;
            }
        }

        public override void Init(IInternalConfigRoot root, params object[] arguments)
        {
            machine = (string) arguments[0];
            file = (string) arguments[1];
        }

        public override void InitForConfiguration(
            ref string location, out string path, out string locationPath, IInternalConfigRoot root,
            params object[] arguments)
        {
            Init(root, arguments);
            location = (string) arguments[2];
            path = ApplicationPath;
            locationPath = string.IsNullOrEmpty(location) ? null : ApplicationPath + "/" + location.ToLowerInvariant();
        }

        public override string GetStreamName(string path) =>
            path == MachinePath ? machine : path == ApplicationPath ? file : null;

        public override string GetStreamNameForConfigSource(string stream, string source) =>
            Path.Combine(Path.GetDirectoryName(stream), source.Replace('\\', '/'));

        public override Stream OpenStreamForRead(string stream) =>
            File.Exists(stream) ? File.OpenRead(stream) : null;

        public override bool IsDefinitionAllowed(
            string path, ConfigurationAllowDefinition definition, ConfigurationAllowExeDefinition exe) =>
            path == MachinePath || definition >= ConfigurationAllowDefinition.MachineToApplication;

        public override Stream OpenStreamForRead(string stream, bool trusted) => OpenStreamForRead(stream);
        public override object GetStreamVersion(string stream) => stream;
        public override string GetConfigPathFromLocationSubPath(string path, string location) =>
            ApplicationPath + "/" + location;
        public override Type GetConfigType(string name, bool fail) => Type.GetType(name, fail);
        public override bool IsConfigRecordRequired(string path) => path == MachinePath || path == ApplicationPath;
        public override bool IsAboveApplication(string path) => path == MachinePath;
        public override bool SupportsLocation => true;
        public override bool SupportsPath => true;
        public override bool SupportsChangeNotifications => false;
        public override bool SupportsRefresh => false;
        public override bool IsFile(string stream) => true;
        public override bool IsInitDelayed(IInternalConfigRecord record) => false;
        public override bool IsSecondaryRoot(string path) => false;
        public override bool IsTrustedConfigPath(string path) => true;
        public override bool IsFullTrustSectionWithoutAptcaAllowed(IInternalConfigRecord record) => true;
        public override bool IsLocationApplicable(string path) => true;
        public override bool PrefetchAll(string path, string stream) => false;
        public override bool PrefetchSection(string group, string section) => false;
        public override object CreateConfigurationContext(string path, string location) => null;
        public override object CreateDeprecatedConfigContext(string path) => null;
        public override void VerifyDefinitionAllowed(
            string path, ConfigurationAllowDefinition definition, ConfigurationAllowExeDefinition exe,
            IConfigErrorInfo error) { }
    }
}
