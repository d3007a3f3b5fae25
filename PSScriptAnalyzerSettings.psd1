@{
    ExcludeRules = @(
        # Variables set in BeforeAll and used in It look unused to it.
        'PSUseDeclaredVarsMoreThanAssignments'
        # The functions of the test suites change nothing but the test's own.
        'PSUseShouldProcessForStateChangingFunctions'
    )

    Rules        = @{
        PSAvoidUsingPositionalParameters = @{ CommandAllowList = @('Join-Path') }
    }
}
