namespace ComfyAuth.Installation;

/// <summary>The steps of an installation, in their order.</summary>
public enum InstallStepName
{
    /// <summary>What must be there already: the engine, Compose, disk, memory, the port, a GPU where one is asked for, the model hub.</summary>
    Prerequisites,

    /// <summary>The files of the deployment, the image, and the container that runs.</summary>
    Container,

    /// <summary>ComfyUI-Login and its Python requirements in the container.</summary>
    Login,

    /// <summary>The model files.</summary>
    Models,

    /// <summary>One credential everywhere, proven on the live server.</summary>
    Authentication,

    /// <summary>A picture that the server makes, and that is looked at.</summary>
    TestImage,

    /// <summary>The report of the installation.</summary>
    Report,
}
