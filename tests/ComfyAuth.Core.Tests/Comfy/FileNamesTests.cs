using ComfyAuth.Comfy;
using CsCheck;

namespace ComfyAuth.Tests.Comfy;

public sealed class FileNamesTests
{
    [Theory]
    [InlineData("ComfyUI_00001_.png", "ComfyUI_00001_.png")]
    [InlineData("../../etc/passwd", "passwd")]
    [InlineData("..\\..\\Windows\\x.png", "x.png")]
    [InlineData("C:\\x.png", "x.png")]
    [InlineData("x.png:stream", "stream")]
    [InlineData("..", "image")]
    [InlineData("", "image")]
    [InlineData("/", "image")]
    [InlineData(".hidden.png", "hidden.png")]
    [InlineData("a\u0000b\n\u001b[2J.png", "a_b___2J.png")]
    [InlineData("CON.png", "_CON.png")]
    [InlineData("nul", "_nul")]
    [InlineData("Lpt1.tar.png", "_Lpt1.tar.png")]
    [InlineData("x.png. . .", "x.png")]
    [InlineData("a*b?<c>|\"d\".png", "a_b__c___d_.png")]
    [InlineData("Bär \u202egnp.exe", "Bär _gnp.exe")]
    [InlineData("~/$HOME`id`.png", "_HOME_id_.png")]
    public void A_name_becomes_one_of_a_file(string name, string safe) => Assert.Equal(safe, FileNames.Safe(name));

    [Fact]
    public void Any_name_stays_in_its_folder_and_can_be_written() => Gen.String[0, 400].Sample(
        name =>
        {
            var safe = FileNames.Safe(name);
            Assert.Equal(safe, Path.GetFileName(safe));
            Assert.DoesNotContain(safe, character => char.IsControl(character) || "\\/:*?\"<>|".Contains(character, StringComparison.Ordinal));
            Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(safe), 1, 200);
            Assert.False(safe[0] is '.' or ' ' || safe[^1] is '.' or ' ', safe);
            Assert.True(FileNames.Ascii(name).All(char.IsAscii));
        },
        iter: 2000);

    [Fact]
    public void Names_that_are_taken_are_numbered() => Assert.Equal(["a.b.png", "a.b_2.png", "a.b_3.png"], FileNames.Numbered("a.b.png").Take(3));
}
