@{
    ExcludeRules = @(
        # Variables set in BeforeAll and used in It, and parameters used in a nested script block, look unused to it.
        'PSUseDeclaredVarsMoreThanAssignments'
        'PSReviewUnusedParameter'
        # The functions of the test suites change nothing but the test's own.
        'PSUseShouldProcessForStateChangingFunctions'
    )

    Rules        = @{
        PSAvoidUsingPositionalParameters = @{ CommandAllowList = @('Join-Path', 'Set-StackFile', 'Edit-StackFile') }
    }
}
