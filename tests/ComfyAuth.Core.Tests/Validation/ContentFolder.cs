using ComfyAuth.Stacks;

namespace ComfyAuth.Tests.Validation;

/// <summary>A stack that has nothing but what a test writes.</summary>
public sealed class ContentFolder : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ContentFolder(string definition = "defaults: false\ncontent: { folder: nb }\n") => Define(definition);

    public string Root => _folder.Path;

    public GenAIStack Stack => GenAIStack.Find(Root);

    public void Define(string definition) => Write(GenAIStack.FileName, definition);

    public string Write(string path, string text) => _folder.Write(path, text);

    public string Write(string path, byte[] bytes)
    {
        var full = _folder.Write(path, "");
        File.WriteAllBytes(full, bytes);
        return full;
    }

    public string Read(string path) => _folder.Read(path);

    public string PathOf(string path) => _folder.PathOf(path);

    public void MakeFolder(string path) => Directory.CreateDirectory(PathOf(path));

    public void Dispose() => _folder.Dispose();
}
