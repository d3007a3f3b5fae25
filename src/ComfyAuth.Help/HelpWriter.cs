using System.Reflection;
using System.Xml.Linq;

namespace ComfyAuth.Help;

/// <summary>
/// Writes the help of an assembly's cmdlets in the form Get-Help reads (MAML): summary as synopsis, remarks as
/// description, each property's summary as its parameter's description, and the examples.
/// </summary>
internal sealed class HelpWriter(Documentation documentation)
{
    private const string Automation = "System.Management.Automation.";

    private static readonly XNamespace Msh = "http://msh";
    private static readonly XNamespace Maml = "http://schemas.microsoft.com/maml/2004/10";
    private static readonly XNamespace Command = "http://schemas.microsoft.com/maml/dev/command/2004/10";
    private static readonly XNamespace Dev = "http://schemas.microsoft.com/maml/dev/2004/10";

    public XDocument Write(Assembly assembly)
    {
        var cmdlets =
            from type in assembly.GetTypes()
            where type is { IsPublic: true, IsAbstract: false }
            let attribute = Attributes(type, "CmdletAttribute").FirstOrDefault()
            where attribute is not null
            let verb = (string)attribute.ConstructorArguments[0].Value!
            let noun = (string)attribute.ConstructorArguments[1].Value!
            orderby noun, verb
            select Cmdlet(type, verb, noun, attribute);

        return new XDocument(new XElement(
            Msh + "helpItems",
            new XAttribute("schema", "maml"),
            new XAttribute(XNamespace.Xmlns + "maml", Maml),
            new XAttribute(XNamespace.Xmlns + "command", Command),
            new XAttribute(XNamespace.Xmlns + "dev", Dev),
            cmdlets));
    }

    private XElement Cmdlet(Type type, string verb, string noun, CustomAttributeData attribute)
    {
        var comment = documentation.OfType(type);
        var parameters = Parameters(type).ToList();
        return new XElement(
            Command + "command",
            new XElement(
                Command + "details",
                new XElement(Command + "name", $"{verb}-{noun}"),
                new XElement(Command + "verb", verb),
                new XElement(Command + "noun", noun),
                Described(comment?.Element("summary"))),
            new XElement(Maml + "description", Paragraphs(comment?.Element("remarks"))),
            new XElement(Command + "syntax", Syntax($"{verb}-{noun}", parameters, attribute)),
            new XElement(Command + "parameters", parameters.GroupBy(parameter => parameter.Name).Select(sets => Parameter(sets.First()))),
            new XElement(Command + "inputTypes", parameters.Where(parameter => parameter.Input != "false").Select(parameter => parameter.Type.Name).Distinct().Select(name => Named(Command + "inputType", name))),
            new XElement(Command + "returnValues", OutputTypes(type).Select(name => Named(Command + "returnValue", name))),
            new XElement(Command + "examples", comment?.Elements("example").Select(Example)));
    }

    // A parameter belongs to every set, to the one set named, or with other traits to several.
    private static IEnumerable<ParameterFacts> Parameters(Type type)
        => from property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
           from attribute in Attributes(property, "ParameterAttribute")
           let aliases = Attributes(property, "AliasAttribute").SelectMany(Values).ToList()
           let values = Attributes(property, "ValidateSetAttribute").SelectMany(Values).ToList()
           select new ParameterFacts(property, attribute, aliases, values);

    private static IEnumerable<XElement> Syntax(string name, List<ParameterFacts> parameters, CustomAttributeData cmdlet)
    {
        var first = Argument(cmdlet, "DefaultParameterSetName") as string;
        var sets = parameters.Select(parameter => parameter.Set).OfType<string>().Distinct().OrderBy(set => set != first).ToList();
        if (sets.Count == 0)
            sets.Add("");

        string[] standard = Argument(cmdlet, "SupportsShouldProcess") is true ? ["WhatIf", "Confirm"] : [];

        return sets.Select(set => new XElement(
            Command + "syntaxItem",
            new XElement(Maml + "name", name),
            parameters.Where(parameter => parameter.Set is null || parameter.Set == set)
                .OrderBy(parameter => parameter.Position ?? int.MaxValue)
                .Select(parameter => new XElement(
                    Command + "parameter",
                    parameter.Traits(),
                    new XElement(Maml + "name", parameter.Name),
                    parameter.IsSwitch ? null : Value(parameter))),
            standard.Select(switchName => new XElement(
                Command + "parameter",
                new XAttribute("required", "false"),
                new XAttribute("position", "named"),
                new XElement(Maml + "name", switchName)))));
    }

    private XElement Parameter(ParameterFacts parameter) => new(
        Command + "parameter",
        parameter.Traits(),
        new XElement(Maml + "name", parameter.Name),
        new XElement(
            Maml + "description",
            Paragraphs(documentation.OfProperty(parameter.DeclaringType, parameter.Name)?.Element("summary")),
            parameter.Values.Count == 0 ? null : new XElement(Maml + "para", "Possible values: " + string.Join(", ", parameter.Values) + ".")),
        Value(parameter),
        Named(Dev + "type", parameter.Type.Name));

    private static XElement Value(ParameterFacts parameter) => new(
        Command + "parameterValue",
        new XAttribute("required", parameter.IsSwitch ? "false" : "true"),
        parameter.Type.Name);

    private static XElement Example(XElement example, int index) => new(
        Command + "example",
        new XElement(Maml + "title", $"Example {index + 1}"),
        new XElement(Dev + "code", Code(example.Element("code")?.Value ?? "")),
        new XElement(Dev + "remarks", Paragraphs(new XElement("remarks", example.Nodes().Where(node => node is not XElement { Name.LocalName: "code" })))));

    // Keeps the lines, without the indentation of the comment.
    private static string Code(string code)
    {
        var lines = code.ReplaceLineEndings("\n").Trim('\n').Split('\n');
        var indentation = lines.Where(line => line.Trim().Length > 0).Select(line => line.Length - line.TrimStart().Length).DefaultIfEmpty().Min();
        return string.Join('\n', lines.Select(line => line.Length < indentation ? "" : line[indentation..])).TrimEnd();
    }

    private static IEnumerable<string> OutputTypes(Type type)
        => Attributes(type, "OutputTypeAttribute")
            .SelectMany(attribute => attribute.ConstructorArguments)
            .SelectMany(argument => argument.Value is IReadOnlyCollection<CustomAttributeTypedArgument> several ? several.Select(one => one.Value) : [argument.Value])
            .OfType<Type>()
            .Select(output => output.FullName!)
            .Distinct();

    private static XElement Named(XName element, string name)
        => element.Namespace == Dev
            ? new XElement(element, new XElement(Maml + "name", name))
            : new XElement(element, new XElement(Dev + "type", new XElement(Maml + "name", name)));

    private static XElement Described(XElement? comment) => new(Maml + "description", Paragraphs(comment));

    private static IEnumerable<XElement> Paragraphs(XElement? comment)
        => Documentation.Paragraphs(comment).Select(paragraph => new XElement(Maml + "para", paragraph));

    private static IEnumerable<string> Values(CustomAttributeData attribute)
        => attribute.ConstructorArguments
            .SelectMany(argument => argument.Value is IReadOnlyCollection<CustomAttributeTypedArgument> several ? several.Select(one => one.Value) : [argument.Value])
            .OfType<string>();

    private static object? Argument(CustomAttributeData attribute, string name)
        => attribute.NamedArguments.FirstOrDefault(argument => argument.MemberName == name).TypedValue.Value;

    internal static IEnumerable<CustomAttributeData> Attributes(MemberInfo member, string name)
        => member.GetCustomAttributesData().Where(attribute => attribute.AttributeType.FullName == Automation + name);
}
