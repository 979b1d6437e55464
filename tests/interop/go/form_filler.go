package main

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"slices"
)

// formFiller is a person at a browser, as far as plain HTTP goes: keeps cookies, follows redirects,
// fills in the login page, allows what is asked. Its home is the issuer: what leads elsewhere ends
// the journey.
type formFiller struct {
	home   string
	client http.Client
	typed  map[string]string
}

var (
	formTag      = regexp.MustCompile(`(?is)<form\b([^>]*)>(.*?)</form>`)
	controlTag   = regexp.MustCompile(`(?i)<(input|button)\b([^>]*)>`)
	attribute    = regexp.MustCompile(`(?i)([a-z][a-z-]*)(?:\s*=\s*"([^"]*)")?`)
	pressedByIDs = []string{"consent-allow", "device-submit", "device-allow"}
)

func newFormFiller() *formFiller {
	jar, _ := cookiejar.New(nil) // never fails without options
	home, _ := url.Parse(os.Getenv("OIDC_ISSUER"))
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &formFiller{
		home:   home.Host,
		client: http.Client{Jar: jar, CheckRedirect: stay},
		typed: map[string]string{
			"username": os.Getenv("OIDC_USERNAME"),
			"password": os.Getenv("OIDC_PASSWORD"),
		},
	}
}

// travel follows start to a URL of another host; or returns the last page, if that is the end.
func (f *formFiller) travel(start string) (*url.URL, string, error) {
	response, err := f.client.Get(start)
	for range 12 {
		if err != nil {
			return nil, "", err
		}
		content, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			return nil, "", err
		}
		if target, _ := response.Location(); target != nil {
			if target.Host != f.home {
				return target, "", nil
			}
			response, err = f.client.Get(target.String())
			if err != nil {
				return nil, "", err
			}
			continue
		}
		page := string(content)
		if response.StatusCode != http.StatusOK {
			return nil, "", fmt.Errorf("%s at %s: %s", response.Status, response.Request.URL, page)
		}
		action, fields := f.fillIn(page)
		if fields == nil {
			return nil, page, nil
		}
		target, err := response.Request.URL.Parse(action)
		if err != nil {
			return nil, "", err
		}
		response, err = f.client.PostForm(target.String(), fields)
		if err != nil {
			return nil, "", err
		}
	}
	return nil, "", fmt.Errorf("the redirects from %s never end", start)
}

// fillIn is what a person would send from this page; nil if there is nothing to do on it.
func (f *formFiller) fillIn(page string) (string, url.Values) {
	for _, form := range formTag.FindAllStringSubmatch(page, -1) {
		fields, ready := url.Values{}, false
		for _, control := range controlTag.FindAllStringSubmatch(form[2], -1) {
			has := attributes(control[2])
			name, isNamed := has["name"]
			_, checked := has["checked"]
			switch {
			case control[1] == "button":
				if ready || !slices.Contains(pressedByIDs, has["id"]) {
					continue
				}
				ready = true
			case has["type"] == "checkbox" && !checked:
				continue
			}
			if typed, known := f.typed[name]; known {
				has["value"] = typed
				ready = ready || name == "password"
			}
			if isNamed {
				fields.Add(name, has["value"])
			}
		}
		if ready {
			return attributes(form[1])["action"], fields
		}
	}
	return "", nil
}

func attributes(tag string) map[string]string {
	found := map[string]string{}
	for _, pair := range attribute.FindAllStringSubmatch(tag, -1) {
		found[pair[1]] = html.UnescapeString(pair[2])
	}
	return found
}
