using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace ComfyAuth.Help;

/// <summary>The documentation comments of an assembly, as the compiler writes them.</summary>
internal sealed partial class Documentation
{
    private readonly Dictionary<string, XElement> _members;

    private Documentation(Dictionary<string, XElement> members) => _members = members;

    public static Documentation Load(string path)
        => new(XDocument.Load(path, LoadOptions.PreserveWhitespace).Descendants("member").ToDictionary(member => (string)member.Attribute("name")!));

    /// <summary>The comment of a type.</summary>
    public XElement? OfType(Type type) => _members.GetValueOrDefault("T:" + type.FullName!.Replace('+', '.'));

    /// <summary>The comment of a property, on the type that declares it.</summary>
    public XElement? OfProperty(Type declaringType, string name)
        => _members.GetValueOrDefault($"P:{declaringType.FullName!.Replace('+', '.')}.{name}");

    /// <summary>The paragraphs of a comment: its <c>para</c> elements, or else all of it as one.</summary>
    public static IReadOnlyList<string> Paragraphs(XElement? element)
    {
        if (element is null)
            return [];

        var paragraphs = new List<string>();
        var line = new List<XNode>();
        foreach (var node in element.Nodes())
        {
            if (node is XElement { Name.LocalName: "para" or "list" } block)
            {
                Flush();
                if (block.Name.LocalName == "list")
                    paragraphs.AddRange(block.Elements("item").Select(item => "- " + Text(item.Nodes())));
                else
                    paragraphs.Add(Text(block.Nodes()));
            }
            else
            {
                line.Add(node);
            }
        }

        Flush();
        return [.. paragraphs.Where(paragraph => paragraph.Length > 0)];

        void Flush()
        {
            paragraphs.Add(Text(line));
            line.Clear();
        }
    }

    private static string Text(IEnumerable<XNode> nodes) => Blanks().Replace(string.Concat(nodes.Select(Raw)), " ").Trim();

    private static string Raw(XNode node) => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "see" or "seealso" or "paramref" or "typeparamref" } reference when reference.IsEmpty => Name(reference),
        XElement element => string.Concat(element.Nodes().Select(Raw)),
        _ => "",
    };

    // P:Namespace.Type.Name is told as Name, M:Namespace.Type.Name(System.String) too.
    private static string Name(XElement reference)
    {
        var target = reference.Attribute("cref") ?? reference.Attribute("langword") ?? reference.Attribute("name") ?? reference.Attribute("href");
        var name = target?.Value ?? "";
        return target?.Name == "cref" ? name.Split('(')[0].Split('.')[^1] : name;
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
