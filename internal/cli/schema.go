package cli

import (
	"context"
	"errors"
	"fmt"
	"path"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	classifierv1alpha1 "github.com/classifier-factory/classifier-factory/api/v1alpha1"
	"github.com/classifier-factory/classifier-factory/config/crd"
)

// kindSchema is the schema of a kind, by which an API server fills in and refuses.
type kindSchema struct {
	structural *schema.Structural
	validator  validation.SchemaValidator
	rules      *cel.Validator
}

// loadSchemas reads the schemas of the project's kinds.
func loadSchemas() (map[string]*kindSchema, error) {
	files, err := crd.Bases.ReadDir("bases")
	if err != nil {
		return nil, err
	}
	schemas := map[string]*kindSchema{}
	for _, file := range files {
		content, err := crd.Bases.ReadFile(path.Join("bases", file.Name()))
		if err != nil {
			return nil, err
		}
		kind, loaded, err := loadSchema(content)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file.Name(), err)
		}
		schemas[kind] = loaded
	}
	return schemas, nil
}

func loadSchema(content []byte) (kind string, loaded *kindSchema, err error) {
	definition, internal := &apiextensionsv1.CustomResourceDefinition{}, &apiextensions.CustomResourceDefinition{}
	if err := yaml.Unmarshal(content, definition); err != nil {
		return "", nil, err
	}
	if err := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(definition, internal, nil); err != nil {
		return "", nil, err
	}
	of, err := apiextensions.GetSchemaForVersion(internal, classifierv1alpha1.GroupVersion.Version)
	if err != nil {
		return "", nil, err
	}
	loaded = &kindSchema{}
	if loaded.structural, err = schema.NewStructural(of.OpenAPIV3Schema); err != nil {
		return "", nil, err
	}
	if loaded.validator, _, err = validation.NewSchemaValidator(of.OpenAPIV3Schema); err != nil {
		return "", nil, err
	}
	loaded.rules = cel.NewValidator(loaded.structural, true, celconfig.PerCallLimit)
	return definition.Spec.Names.Kind, loaded, nil
}

// admit fills in the defaults and gives what an API server would refuse.
func (s *kindSchema) admit(ctx context.Context, object map[string]any) error {
	var problems []error
	unknown := pruning.PruneWithOptions(object, s.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	for _, name := range unknown {
		problems = append(problems, fmt.Errorf("%s: there is no such field", name))
	}
	defaulting.Default(object, s.structural)
	found := validation.ValidateCustomResource(nil, object, s.validator)
	found = append(found, listtype.ValidateListSetsAndMaps(nil, s.structural, object)...)
	if len(found) == 0 { // rules may rely on the types
		var broken field.ErrorList
		broken, _ = s.rules.Validate(ctx, nil, s.structural, object, nil, celconfig.RuntimeCELCostBudget)
		found = append(found, broken...)
	}
	for _, problem := range found {
		problems = append(problems, problem)
	}
	return errors.Join(problems...)
}
