using System.Reflection;
using ComfyAuth.Help;

if (args is not [var assemblyPath, var documentationPath, var referencesPath, var helpPath])
{
    Console.Error.WriteLine("usage: ComfyAuth.Help <assembly> <documentation.xml> <file with reference paths> <help to write>");
    return 2;
}

// What the assembly was built against comes first; the rest of the framework only has to be found somewhere.
var references = File.ReadAllLines(referencesPath);
using var context = new MetadataLoadContext(new PathAssemblyResolver([.. references, assemblyPath]));

var help = new HelpWriter(Documentation.Load(documentationPath)).Write(context.LoadFromAssemblyPath(assemblyPath));
help.Save(helpPath);
return 0;
