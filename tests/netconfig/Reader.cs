using System;
using System.Collections.Generic;
using System.Configuration;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Values = System.Collections.Generic.SortedDictionary<string, string>;

namespace NetConfig
{
    /// <summary>What System.Configuration makes of one web.config.</summary>
    public class Reader
    {
        static readonly JsonSerializerOptions Json =
            new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        static readonly string Folder = Directory.CreateTempSubdirectory("netconfig").FullName;
        static readonly string MachineConfig = Machine.Write(Path.Combine(Folder, "machine.config"));

        readonly List<string> errors = new List<string>();
        readonly Values appSettings = New(), connectionStrings = New(), settings = New(), sections = New();

        static Reader()
        {
            AppDomain.CurrentDomain.ProcessExit += (sender, arguments) => Directory.Delete(Folder, true);
        }

        static Values New() => new Values(StringComparer.Ordinal);

        /// <summary>Reads a file and returns its line of JSON.</summary>
        public static string Read(string path)
        {
            var reader = new Reader();
            bool loads = reader.Try("open", () => reader.ReadTyped(path));
            if (loads) reader.Try("sections", () => reader.ReadSections(path));
            return JsonSerializer.Serialize(new Dictionary<string, object>
            {
                ["file"] = path,
                ["loads"] = loads,
                ["errors"] = reader.errors,
                ["appSettings"] = reader.appSettings,
                ["connectionStrings"] = reader.connectionStrings,
                ["settings"] = reader.settings,
                ["sections"] = reader.sections,
            }, Json);
        }

        /// <summary>Returns false, and notes why, if something throws.</summary>
        bool Try(string what, Action read)
        {
            try
            {
                read();
                return true;
            }
            catch (Exception error)
            {
                var messages = new List<string> { what };
                for (Exception cause = error; cause != null; cause = cause.InnerException) messages.Add(cause.Message);
                errors.Add(string.Join(": ", messages));
                return false;
            }
        }

        /// <summary>Reads the sections whose types are here. Their keys compare without case.</summary>
        void ReadTyped(string path)
        {
            Configuration file = Host.Open(MachineConfig, path, null);
            Try("appSettings", () =>
            {
                foreach (KeyValueConfigurationElement item in file.AppSettings.Settings)
                    appSettings[item.Key.ToLowerInvariant()] = item.Value;
            });
            Try("connectionStrings", () =>
            {
                foreach (ConnectionStringSettings item in file.ConnectionStrings.ConnectionStrings)
                    connectionStrings[item.Name.ToLowerInvariant()] = item.ConnectionString;
            });
        }

        /// <summary>Reads all other sections from a copy whose declarations name types that are here.</summary>
        void ReadSections(string path)
        {
            string copy = Path.Combine(Folder, "copy.config");
            File.WriteAllText(copy, WithKnownTypes(File.ReadAllText(path)), new UTF8Encoding(false));
            Configuration file = Host.Open(MachineConfig, copy, null);
            Walk(file, "");
            foreach (ConfigurationLocation location in file.Locations)
            {
                string at = location.Path;
                if (string.IsNullOrEmpty(at) || at == ".") continue;
                string prefix = "location[" + at.ToLowerInvariant() + "]/";
                Try("location " + at, () => Walk(Host.Open(MachineConfig, copy, at), prefix));
            }
        }

        const string Quoted = @"(""[^""]*""|'[^']*')";
        static readonly Regex Encoding = new Regex(@"^(\s*<\?xml[^>]*?)\s+encoding\s*=\s*" + Quoted);
        static readonly Regex SectionType = new Regex(@"(<section\s[^>]*?\btype\s*=\s*)" + Quoted);
        static readonly Regex GroupType = new Regex(@"(<sectionGroup\s[^>]*?\b)type\s*=\s*" + Quoted);

        static string WithKnownTypes(string text)
        {
            text = Encoding.Replace(text, "$1");
            text = GroupType.Replace(text, "$1");
            return SectionType.Replace(text, found =>
            {
                bool isSettings = found.Groups[2].Value.Contains("ClientSettingsSection");
                return found.Groups[1].Value + '"' + (isSettings ? Machine.Settings : Machine.Raw) + '"';
            });
        }

        void Walk(Configuration file, string prefix)
        {
            foreach (string name in Names(file.RootSectionGroup, ""))
                if (name != "appSettings" && name != "connectionStrings")
                    Try(prefix + name, () => Take(file.GetSection(name), prefix + name));
        }

        static IEnumerable<string> Names(ConfigurationSectionGroup group, string prefix)
        {
            var groups = group.SectionGroups.Keys.Cast<string>();
            var inner = groups.SelectMany(name => Names(group.SectionGroups[name], prefix + name + "/"));
            return group.Sections.Keys.Cast<string>().Select(name => prefix + name).Concat(inner);
        }

        void Take(ConfigurationSection section, string path)
        {
            if (section is ClientSettingsSection client)
            {
                foreach (SettingElement setting in client.Settings)
                    settings[path + "/" + setting.Name] = setting.Value.ValueXml?.InnerXml;
                return;
            }
            string xml = section?.SectionInformation.GetRawXml();
            if (!string.IsNullOrWhiteSpace(xml)) Flatten(path, XElement.Parse(xml));
        }

        /// <summary>Takes every attribute and every text by its path. Items keep their order: the second child with a
        /// name is NAME#1.</summary>
        void Flatten(string path, XElement element)
        {
            sections[path] = string.Concat(element.Nodes().OfType<XText>().Select(text => text.Value)).Trim();
            foreach (XAttribute attribute in element.Attributes().Where(found => !found.IsNamespaceDeclaration))
                sections[path + "/@" + attribute.Name.LocalName] = attribute.Value;
            foreach (var same in element.Elements().GroupBy(child => child.Name.LocalName))
            {
                int number = 0;
                foreach (XElement child in same)
                {
                    Flatten(path + "/" + same.Key + (number == 0 ? "" : "#" + number), child);
                    number++;
                }
            }
        }
    }
}
