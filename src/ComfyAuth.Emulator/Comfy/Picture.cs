namespace ComfyAuth.Emulator.Comfy;

/// <summary>An image as nodes hand it on: three bytes for each pixel, row by row.</summary>
/// <param name="Width">Its width in pixels.</param>
/// <param name="Height">Its height in pixels.</param>
/// <param name="Rgb">The pixels; shared, and so never changed.</param>
internal sealed record Picture(int Width, int Height, byte[] Rgb)
{
    /// <summary>The sizes that FluxKontextImageScale chooses from, by width to height: about a million pixels each.</summary>
    private static readonly (int Width, int Height)[] KontextSizes =
    [
        (672, 1568), (688, 1504), (720, 1456), (752, 1392), (800, 1328), (832, 1248), (880, 1184), (944, 1104), (1024, 1024),
        (1104, 944), (1184, 880), (1248, 832), (1328, 800), (1392, 752), (1456, 720), (1504, 688), (1568, 672),
    ];

    /// <summary>One colour all over.</summary>
    /// <param name="width">Its width in pixels.</param>
    /// <param name="height">Its height in pixels.</param>
    /// <param name="color">The colour, <c>0xRRGGBB</c>.</param>
    public static Picture Flat(int width, int height, int color)
    {
        var rgb = new byte[checked(width * height * 3)];
        for (var at = 0; at < rgb.Length; at += 3)
            (rgb[at], rgb[at + 1], rgb[at + 2]) = ((byte)(color >> 16), (byte)(color >> 8), (byte)color);
        return new(width, height, rgb);
    }

    /// <summary>Cut to the nearest of the sides' ratios that the model likes, and scaled to about a million pixels.</summary>
    public Picture ScaledForKontext()
    {
        var ratio = (double)Width / Height;
        var (width, height) = KontextSizes.MinBy(size => Math.Abs(ratio - ((double)size.Width / size.Height)));
        var target = (double)width / height;
        var (left, top) = ratio > target ? ((Width - (Height * target)) / 2, 0d) : (0d, (Height - (Width / target)) / 2);
        return Scaled(width, height, left, top);
    }

    /// <summary>
    /// What the emulated model makes of it: the same picture with a red square in its middle, and a shade of which the seed
    /// decides.
    /// </summary>
    /// <param name="seed">The seed.</param>
    public Picture Edited(ulong seed)
    {
        var rgb = (byte[])Rgb.Clone();
        var side = Math.Max(1, Math.Min(Width, Height) / 4);
        var (left, top) = ((Width - side) / 2, (Height - side) / 2);
        var shade = (int)(seed % 17) - 8;
        for (var y = 0; y < Height; y++)
        {
            for (var x = 0; x < Width; x++)
            {
                var at = ((y * Width) + x) * 3;
                var isInside = x >= left && x < left + side && y >= top && y < top + side;
                for (var channel = 0; channel < 3; channel++)
                    rgb[at + channel] = (byte)Math.Clamp((isInside ? channel == 0 ? 220 : 24 : rgb[at + channel]) + shade, 0, 255);
            }
        }

        return new(Width, Height, rgb);
    }

    /// <summary>The same in another size, between pixels in a straight line.</summary>
    public Picture Scaled(int width, int height, double left = 0, double top = 0)
    {
        if ((width, height, left, top) == (Width, Height, 0, 0))
            return this;

        var (stepX, stepY) = ((Width - (2 * left)) / width, (Height - (2 * top)) / height);
        var rgb = new byte[checked(width * height * 3)];
        for (var y = 0; y < height; y++)
        {
            var (y0, y1, partY) = Between(top + ((y + 0.5) * stepY) - 0.5, Height);
            for (var x = 0; x < width; x++)
            {
                var (x0, x1, partX) = Between(left + ((x + 0.5) * stepX) - 0.5, Width);
                for (var channel = 0; channel < 3; channel++)
                {
                    var upper = (At(x0, y0, channel) * (1 - partX)) + (At(x1, y0, channel) * partX);
                    var lower = (At(x0, y1, channel) * (1 - partX)) + (At(x1, y1, channel) * partX);
                    rgb[(((y * width) + x) * 3) + channel] = (byte)((upper * (1 - partY)) + (lower * partY) + 0.5);
                }
            }
        }

        return new(width, height, rgb);
    }

    private static (int First, int Second, double Part) Between(double position, int length)
    {
        var within = Math.Clamp(position, 0, length - 1);
        var first = (int)within;
        return (first, Math.Min(first + 1, length - 1), within - first);
    }

    private byte At(int x, int y, int channel) => Rgb[(((y * Width) + x) * 3) + channel];
}
