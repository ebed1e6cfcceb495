using System.Reflection;

namespace SoftmaxCE.Tests;

/// <summary>Vector code is never left to the runtime's quick compiler, in which each vector operation is a call: <see cref="LoopMethod"/>.</summary>
public class LoopMethodTests
{
    private const MethodImplAttributes Fast = MethodImplAttributes.AggressiveInlining | MethodImplAttributes.AggressiveOptimization;
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    [Fact]
    public void Every_method_over_vectors_is_inlined_or_optimized_when_it_is_first_compiled()
    {
        List<MethodInfo> methods = [.. typeof(SoftmaxFunctions).Assembly.GetTypes().SelectMany(type => type.GetMethods(Declared)).Where(IsOverVectors)];

        methods.Should().HaveCountGreaterThan(200);
        methods.Where(method => (method.MethodImplementationFlags & Fast) == 0).Select(method => $"{method.DeclaringType!.Name}.{method.Name}").Should().BeEmpty();
    }

    // What the compiler makes for an interface's sake has a dot in its name; it only passes its arguments on, and that is inlined.
    private static bool IsOverVectors(MethodInfo method) =>
        method.IsGenericMethodDefinition && !method.IsAbstract && !method.Name.Contains('.', StringComparison.Ordinal)
        && Array.Exists(method.GetGenericArguments(), IsVectorCode);

    private static bool IsVectorCode(Type argument) => Array.Exists(
        argument.GetGenericParameterConstraints(), constraint => constraint.IsGenericType && constraint.GetGenericTypeDefinition() == typeof(ISimd<,>));
}
