using System.Text;
using ComfyAuth.Notebooks;

namespace ComfyAuth.Tests.Notebooks;

/// <summary>Sixteen places are looked at at once, and the last ones of a text one by one: where a trigger stands must not matter.</summary>
public sealed class SecretTriggersTests
{
    [Theory]
    [InlineData("$2b$12$")]
    [InlineData("2B%24")]
    [InlineData("hf_")]
    [InlineData("PRIVATE KEY")]
    [InlineData("password = \\\"x")]
    [InlineData("api_key\\\": \\\"x")]
    [InlineData("Bearer x")]
    [InlineData("://user@host")]
    [InlineData("Kk4DQuMM")]
    public void A_trigger_is_found_at_every_place_of_a_text(string trigger)
    {
        var triggers = new SecretTriggers(["Kk4DQuMMfZL9o"]);
        for (var before = 0; before < 50; before++)
        {
            for (var after = 0; after < 40; after++)
                Assert.Equal(before, triggers.Next(Encoding.UTF8.GetBytes(new string('.', before) + trigger + new string('.', after)), 0));
        }
    }

    [Fact]
    public void What_only_looks_like_the_beginning_of_one_is_passed_over()
    {
        // Places that share a half of a byte with triggers, none of which is one.
        var text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("tokem passwore $3b 1b$ hg_ sk+ bearea ;// sek privatf ", 40)));

        Assert.Equal(-1, new SecretTriggers([]).Next(text, 0));
        Assert.Equal(text.Length, new SecretTriggers([]).Next([.. text, .. "hf_"u8], 0));
        Assert.Equal(-1, new SecretTriggers([]).Next([.. "hf_"u8, .. text], 1));
    }
}
